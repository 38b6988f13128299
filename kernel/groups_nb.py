"""Groups in the state: what a fill of one order makes of the others in its group.

Owns ``group_lots``, the total quantity that its group wants an order to have. Only ``apply`` calls what is here; the
requests that follow from a difference are ``linked_nb``'s.
"""

from kernel.events.layout import GROUP_BROKEN
from kernel.exact_nb import divide_product_nb
from kernel.jit import inlined, jit
from kernel.ledger_nb import MISMATCH, OK
from kernel.lifecycle import CHILD, ENTRY, OCO, OUO, PARENT, STOP_LOSS, TAKE_PROFIT


@inlined
def is_leg_nb(role):
    """Whether an order of this role is sized by what its entry has filled."""
    return role == TAKE_PROFIT or role == STOP_LOSS


@inlined
def is_sized_nb(role):
    """Whether the group decides the quantity of an order of this role."""
    return is_leg_nb(role) or role == OUO


@inlined
def join_group_nb(order):
    """An order that waits for another one is worth nothing yet."""
    waits = is_leg_nb(order.group_role) or order.group_role == CHILD
    order.group_lots = 0 if waits else order.quantity_lots


@jit
def group_fill_nb(state, order, quantity_lots):
    """Carry a fill (already counted in the order) over to the other orders of the group.

    A fill of the entry enlarges both legs, and a fill of a leg takes as much from the other: each leg may fill what the
    entry filled less what the other leg did. A leg that is done ends the entry. A child is worth its share of what its
    parent has filled, rounded down. A one-cancels-other order that fills although it was to end, ends no other.
    """
    role, is_done = order.group_role, order.filled_lots == order.quantity_lots
    for row in range(state.head.order_count):
        other = state.orders[row]
        if other.group_id != order.group_id or other.order_id == order.order_id:
            continue
        other.group_refused = 0
        if role == ENTRY and is_leg_nb(other.group_role):
            other.group_lots += quantity_lots
        elif (role == OUO and other.group_role == OUO) or (is_leg_nb(role) and is_leg_nb(other.group_role)):
            other.group_lots -= quantity_lots
        elif is_leg_nb(role) and other.group_role == ENTRY and is_done:
            other.group_lots = other.filled_lots
        elif role == OCO and other.group_role == OCO and order.group_lots != 0:
            other.group_lots = 0
        elif role == PARENT and other.group_role == CHILD:
            share, _rest = divide_product_nb(other.quantity_lots, order.filled_lots, order.quantity_lots)
            other.group_lots = share


@inlined
def note_group_fill_nb(fill, order, quantity_lots):
    """Remember the fill of an order in a group, which may leave the table with it."""
    fill.order_id = order.order_id
    fill.group_role = order.group_role
    fill.quantity_lots = quantity_lots
    fill.excess_lots = max(min(quantity_lots, order.filled_lots - order.group_lots), 0)


@inlined
def group_broken_nb(state, words):
    """What the kernel derived from a fill must be what the fill did. It is said once."""
    fill = state.group_fill
    unprotected = words[GROUP_BROKEN.unprotected_lots]
    if (
        fill.group_id == 0
        or fill.group_id != words[GROUP_BROKEN.group_id]
        or fill.order_id != words[GROUP_BROKEN.order_id]
        or fill.excess_lots != words[GROUP_BROKEN.excess_lots]
        or (unprotected != 0 and (unprotected != fill.quantity_lots - fill.excess_lots or fill.group_role != ENTRY))
    ):
        return MISMATCH
    fill.group_id = 0
    return OK
