"""The tables of the state, by subject; ``kernel/state.py`` lays them end to end."""
