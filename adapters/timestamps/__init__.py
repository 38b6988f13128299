"""RFC 3161 timestamps: somebody who is trusted with the time says that some bytes were there. Knows no journal."""
