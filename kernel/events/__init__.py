"""The event catalogue, the record layout and the codec."""
