"""What adapters share: secrets, rate limits, retries. Knows no venue."""
