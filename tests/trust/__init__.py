"""Faults, load and attacks by volume: `make soak`, `make chaos`, `make fuzz`.

Each runs for a time or up to a count, goes on where it was stopped, prints one table, and ends with
1 where anything was lost. Their short forms are tests.
"""
