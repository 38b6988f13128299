"""Venues and providers at the edge: each turns bytes into the shapes of ``kernel.venue``, and back."""
