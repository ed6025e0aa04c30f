"""Kernels for x86: rows, levels, tiles, rates and headers."""
