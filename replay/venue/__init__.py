"""SimVenue: a simulated venue with its own deterministic state, in small parts.

- ``profiles.py``: the names and numbers of the fill profiles;
- ``memory.py``: what the venue keeps, as one record;
- ``receive_nb.py``: what an order or a request of the kernel does on arrival; ``settle_nb.py`` carries it there;
- ``match_nb.py``: what a market row does to the resting orders; ``range_nb.py`` the profiles that see a row as a range
  of prices, ``path_nb.py`` those that walk it as ticks;
- ``fills_nb.py``: one fill, with its fee and its funds; ``reports_nb.py`` what the venue says.

What the profiles do is stated in ``docs/fills.md``, whose tables are tests.
"""
