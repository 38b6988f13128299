"""Downloads of bars into the catalogue: begun, interrupted, gone on with, and imported like any other source."""
