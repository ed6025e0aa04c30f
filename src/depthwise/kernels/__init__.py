"""C headers written by hand, one operation and instruction set a file, which emitted code includes."""
