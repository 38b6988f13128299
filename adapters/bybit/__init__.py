"""Bybit: spot, linear and inverse contracts, by ccxt."""
