"""From a graph to a program for this machine: an algorithm for each node, packed weights, memory."""
