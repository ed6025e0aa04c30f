"""All that needs torch: the network as a module, data, training, checkpoints and evaluation."""
