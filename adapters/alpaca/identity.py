"""One client order id for the driver, where Alpaca has one for each replacement.

A replacement is a new order at Alpaca, with ids of its own and a link to the order that it replaces. It carries on what
has filled, so its picture is the picture of the order as the driver knows it. Its client order id is the driver's with
``-R1``, ``-R2`` and so on behind it: the driver's ids have no capital letters, so the way back needs nothing but the
text.
"""

import re

_REPLACED = re.compile(r"(.+)-R([1-9]\d{0,5})")


def base_id(client_order_id: str) -> str:
    """The driver's id of an order or of any of its replacements."""
    match = _REPLACED.fullmatch(client_order_id)
    return match[1] if match else client_order_id


def generation(client_order_id: str) -> int:
    """0 for an order as it was sent, n for its n-th replacement."""
    match = _REPLACED.fullmatch(client_order_id)
    return int(match[2]) if match else 0


def replacement_id(client_order_id: str, number: int) -> str:
    """The id of the replacement with this number."""
    return f"{base_id(client_order_id)}-R{number}"
