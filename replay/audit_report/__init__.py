"""What an auditor is given of a journal: a report as HTML and JSON, and its events as tables.

Owns what is told of a history, and the judgement of it against the texts of regulators. All of it is computed from the
journal's own frames, one after another; market data is not needed, and nothing is decided or folded.
"""
