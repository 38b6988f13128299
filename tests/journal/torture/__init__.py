"""Torture: for every way a disk can fail, count what is lost and what is wrongly accepted. See `__main__`."""
