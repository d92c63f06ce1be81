"""The ways to compute each operation: one module an operation (or a family of small ones), `ALGORITHMS` in each."""
