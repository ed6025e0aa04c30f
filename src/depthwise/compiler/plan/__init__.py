"""How a network runs on a machine: steps, kernels, tiles, and where everything lies."""
