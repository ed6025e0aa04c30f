"""Weights of PyTorch: timm's, transformers' and state dicts of other modules."""
