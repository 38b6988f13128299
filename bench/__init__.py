"""Speed and memory of the kernel, measured: ``python -m bench``.

May import anything; nothing imports it. Figures are only comparable within one run on one machine, so every floor that
compares two things measures both in the same run, in turn.
"""
