"""Attacks that go by the gradient of a network; the only files of this room that need PyTorch."""
