"""Bars made inside the kernel: from trades, quotes, finer bars, or other series.

``rule.py`` reads and writes rules such as ``5m``; ``plan.py`` turns what is wanted into numbered series. Compiled:
``input_nb.py`` takes inputs into the bar in progress, ``kinds_nb.py`` what is special to each kind, ``apply_nb.py`` the
part of ``apply``, ``closing_nb.py`` writes the events.
"""
