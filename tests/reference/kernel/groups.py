"""The twin of group reactions: what must be true of a group's orders once everything was settled."""

from tests.reference.kernel.orders import AT_VENUE, CHILD, ENTRY, LEGS, OCO, OUO, Order, Orders


def unsettled(twin: Orders, order: Order) -> str:
    """What is still to be asked for an order of a group; nothing when it is as its group wants it."""
    wanted = twin.group_lots(order)
    parent_open = any(other.order_id == order.parent_id for other in twin.orders)
    if order.group_refused or order.stage == "intended":
        return ""
    if order.stage == "held":
        if order.group_role in LEGS and wanted > 0:
            return "a leg waits though its entry has filled"
        if not parent_open:
            return "an order waits for one that is gone"
        return ""
    assert order.stage in AT_VENUE
    if wanted <= order.filled_lots:
        return "" if order.cancel_linked else "it is to end, and no cancel was asked for"
    if order.group_role not in (*LEGS, OUO) or order.cancel_linked:
        return ""
    has = order.replaces[-1] if order.replaces else order.quantity_lots
    return "" if has == wanted else f"it is to have {wanted} lots and has {has}"


def broken(roles: dict[int, int], lots: dict[int, int], fills: dict[int, int]) -> str:
    """Which promise the fills of one group break, by order id; nothing when none is."""
    filled = [order_id for order_id, role in roles.items() if role == OCO and fills[order_id]]
    if len(filled) > 1:
        return f"one-cancels-other orders {filled} have all filled"
    entered = sum(fills[order_id] for order_id, role in roles.items() if role == ENTRY)
    left = sum(fills[order_id] for order_id, role in roles.items() if role in LEGS)
    if left > entered:
        return f"the legs filled {left} lots of {entered}"
    updating = [order_id for order_id, role in roles.items() if role == OUO]
    if sum(fills[order_id] for order_id in updating) > max((lots[order_id] for order_id in updating), default=0):
        return "one-updates-other orders filled more than the largest of them"
    early = [order_id for order_id, role in roles.items() if role == CHILD and fills[order_id]]
    parents = sum(fills[order_id] for order_id in roles if roles[order_id] not in (CHILD, ENTRY, *LEGS))
    return f"children {early} filled before their parent" if early and not parents else ""
