"""Torture: count, for every way a disk can fail, what is lost and what is wrongly accepted. See `__main__`."""
