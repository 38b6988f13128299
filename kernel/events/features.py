"""Features: which are recorded, and their values."""

from kernel.events.declaring import Event, declare

VECTOR_VALUES = 7  # of one event; more take several


@declare(170, "define.features", external=True)
class FeaturesDefined(Event, frozen=True):
    """The features of an instrument that are recorded from here on, of bars of a series (-1: the data's own).

    The body has their names, in the order of the values.
    """

    series: int
    value_count: int


@declare(171, "feature.vector")
class FeatureVector(Event, frozen=True):
    """Features when a bar of a series closed: ``value_count`` of them from ``first`` on, of the set that was defined.

    Each value is the 64 bits of a floating-point number, read as an integer. Prices are in ticks.
    """

    series: int
    first: int
    value_count: int
    value_0: int
    value_1: int
    value_2: int
    value_3: int
    value_4: int
    value_5: int
    value_6: int
