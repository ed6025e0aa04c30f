"""What of the cloud side runs on GPUs by kernels of its own (docs/cuda.md): training, answers and pictures."""
