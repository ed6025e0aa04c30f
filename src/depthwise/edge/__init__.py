"""The device side: decode, resize, call the artifact. No torch, and nothing of the other stages."""
