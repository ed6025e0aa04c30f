"""ARM of 64 bits."""
