"""The fast order book behind the methods of the naive one, so that one suite drives both."""

from typing import Any

from kernel.records import new_record
from replay import book_nb as nb


class FastBook:
    def __init__(self, limit: int = 0) -> None:
        self.record: Any = new_record(nb.ORDER_BOOK)
        self.record.limit = limit

    def apply(self, side: int, price: int, lots: int, flags: int) -> int:
        return int(nb.apply_depth_nb(self.record, side, price, lots, flags))

    def clear(self) -> None:
        nb.clear_book_nb(self.record)

    def outward(self, side: int) -> list[tuple[int, int]]:
        levels = []
        node = nb.next_level_nb(self.record, side, 0)
        while node:
            levels.append(
                (int(nb.node_ticks_nb(self.record, side, node)), int(nb.node_lots_nb(self.record, side, node)))
            )
            node = nb.next_level_nb(self.record, side, node)
        return levels

    def best(self, side: int) -> int:
        return int(nb.best_ticks_nb(self.record, side))

    def level_count(self, side: int) -> int:
        return int(nb.level_count_nb(self.record, side))

    def lots_at(self, side: int, price: int) -> int:
        return int(nb.level_lots_nb(self.record, side, price))

    def ahead(self, side: int, price: int) -> int:
        return int(nb.ahead_lots_nb(self.record, side, price))

    def walk(self, side: int, quantity: int, limit: int) -> tuple[int, int, int]:
        filled, cost, worst = nb.walk_book_nb(self.record, side, quantity, limit)
        return int(filled), int(cost), int(worst)

    @property
    def rows(self) -> int:
        return int(self.record.rows)

    @property
    def dropped(self) -> int:
        return int(self.record.dropped)

    @property
    def uncrossed(self) -> int:
        return int(self.record.uncrossed)
