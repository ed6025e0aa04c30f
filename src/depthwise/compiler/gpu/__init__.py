"""A network for a GPU: its kernels with their grids, their constants, and the C that loads and launches them."""
