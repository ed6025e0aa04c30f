"""What scripts/measure_gpu.py measures, a subject a file."""
