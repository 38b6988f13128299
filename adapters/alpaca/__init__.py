"""Alpaca: US equities and crypto, by alpaca-py.

``AlpacaAdapter`` is the venue, ``AlpacaSettings`` says how it is reached.
"""
