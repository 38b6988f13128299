"""Portfolio weights, computed outside the kernel and recorded as inputs: methods, walk-forward, and their file."""


class PortfolioError(Exception):
    """Weights that cannot be computed or read. The text is one line."""
