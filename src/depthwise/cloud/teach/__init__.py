"""Teachers: networks whose answers a student learns beside the true labels (arXiv:1503.02531)."""
