"""A deterministic, event-sourced trading kernel: the pure core. It does no input or output."""

__version__ = "0.1.0"
