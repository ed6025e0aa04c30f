"""Triton kernels, one operation a file. They are imported where Triton is installed, and nowhere else.

Each reads and writes activations as (pixels, channels), the pixels of a whole batch in one row: what torch calls
channels_last. Sizes of tiles come from tiles.py; the torch expressions that define the kernels from reference.py.
"""
