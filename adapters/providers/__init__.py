"""Providers of market data: what ``kernel data fetch`` downloads from."""
