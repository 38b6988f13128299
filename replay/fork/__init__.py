"""Going on from a moment of a recorded history under other parameters, limits or code.

What happened up to that moment is done again and held against the parent's journal, event by event; then the recorded
market goes on, and what is decided differs. The fork's journal is whole by itself and bound to its parent by a hash.
"""
