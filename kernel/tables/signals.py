"""What strategies think of their instruments, the targets that follow, and what exits need to know, in the state."""

from kernel.plans import EXIT_PLAN, EXIT_RUNG, MAX_RUNGS, PORTFOLIO_PLAN, SIZING_PLAN
from kernel.tables.table import MAX_STRATEGIES, table_dtype

# One row for each book, in the order of the positions.
SIGNAL_ROW = table_dtype(
    "direction",
    "strength_rate",
    "confidence_rate",
    "horizon_ns",
    "stop_ticks",
    "target_ticks",
    "measure_e8",
    "low_return_rate",
    "high_return_rate",
    "signal_ns",
    "signal_sequence",  # of the last signal; 0: there was none
    "due",  # 1: a target is to be set
    "due_cause",  # the event that says so
    "due_ns",  # its time
    "retry_ns",  # not before then; 0: at once
    "target_lots",
    "target_sequence",  # the event that set the target
    # The trip under way, for exits.
    "trip_sequence",  # its entry; a change means a new trip
    "peak_lots",
    "best_before_ticks",
    "best_ticks",
    "rungs_taken",
    "entry_measure_e8",
    "rejected_trip",  # the entry of the trip for which the venue refused a protective order
)
SIGNAL_TABLES = {
    "sizing_plans": (SIZING_PLAN, MAX_STRATEGIES),
    "portfolio_plans": (PORTFOLIO_PLAN, MAX_STRATEGIES),
    "exit_plans": (EXIT_PLAN, MAX_STRATEGIES),
    "exit_rungs": (EXIT_RUNG, MAX_STRATEGIES * MAX_RUNGS),
}
