"""Looking into a journal: names for its integers, moments, causes, differences. Reads only."""
