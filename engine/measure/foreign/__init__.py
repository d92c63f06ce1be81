"""Scripts that run in another interpreter than the engine's. They import nothing of ours."""
