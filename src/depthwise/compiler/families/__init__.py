"""How weights lie for the kernels of each family of processors."""
