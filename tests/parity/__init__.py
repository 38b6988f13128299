"""Parity with other engines: the same strategies on the same bars, compared trade by trade and bar by bar.

``python -m tests.parity --environments DIR`` runs it; see ``docs/parity.md``. Nothing here is part of the ordinary
tests.
"""
