"""Alpaca: US equities and crypto, by alpaca-py."""
