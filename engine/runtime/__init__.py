"""Running a program: compiled kernels, threads, memory."""
