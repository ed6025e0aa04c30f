"""Weights for the kernels in portable C."""
