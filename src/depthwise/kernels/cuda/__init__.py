"""NVIDIA's GPUs: kernels that zig compiles to PTX, and what loads and runs them from an artifact."""
