"""What a network is: a closed set of operations, a graph of them, and their meaning in NumPy."""
