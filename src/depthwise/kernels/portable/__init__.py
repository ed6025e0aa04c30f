"""Kernels in portable C, and how products are cut for them."""
