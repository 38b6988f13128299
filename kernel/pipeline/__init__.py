"""The signal pipeline: shadow accounts, votes, regimes, calibration, filters and arms.

Owns what becomes of a strategy's opinion before it is a target, and the trading on paper that measures it. The events
are declared in ``kernel/events/pipeline.py``, the tables in ``kernel/tables/pipeline.py``.
"""
