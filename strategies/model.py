"""A model outside: its signals are recorded inputs."""

from kernel.strategy.declare import compiled
from kernel.strategy.pipeline_api_nb import pass_on


@compiled(on="model")
def model(ctx, own):
    """Say what a model outside the kernel said: the rows of ``signals`` in the data. Source: docs/signals.md."""
    pass_on(ctx)
