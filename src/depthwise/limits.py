"""What the compiler and the device side both hold frames to."""

# The most pixels that a side of a frame has: DW_LONGEST_SIDE of depthwise.h.
LONGEST_SIDE = 65_535
