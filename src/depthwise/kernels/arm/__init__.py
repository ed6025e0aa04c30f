"""ARM of 64 bits, and of 32 bits with vectors."""
