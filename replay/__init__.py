"""Drivers around the kernel: catalogue, tape, simulated venue, runner, audit, metrics and reports."""
