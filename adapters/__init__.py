"""Venues and data providers at the edge of the kernel. Adapters do not import each other."""
