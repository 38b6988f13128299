"""The live driver: the kernel with a venue at the edge, its journal, and whoever operates it."""
