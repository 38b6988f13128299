"""Risk beyond the plain limits: rules, gates, losses, throttles and the kill switch.

``numbers`` names every check, ``rules`` every setting. ``totals_nb`` and ``count_nb`` are the part of ``apply`` that
keeps what the checks read, so that no check walks over all books; ``gates_nb``, ``order_checks_nb`` and
``exposure_nb`` are the checks, in the order that ``kernel/risk_nb.py`` gives them; ``watch_nb`` looks after each market
event. Nothing here costs anything in a run without rules: all of it stands behind ``head.risk_on``.
"""
