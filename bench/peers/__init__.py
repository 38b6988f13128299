"""The same strategy on the same bars in other engines, each in an environment of its own: ``nox -s bench_peers``.

The scripts beside this file import nothing of ours, and this package imports none of the peers.
"""
