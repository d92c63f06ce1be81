"""Benchmarks: this engine's kernels on their own, and the engine side by side with other runtimes."""
