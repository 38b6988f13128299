"""Checks of a strategy: does it look ahead, and does it say how many bars it needs. Each re-runs it and compares."""
