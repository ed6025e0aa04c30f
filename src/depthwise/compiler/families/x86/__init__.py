"""Weights for the kernels of x86."""
