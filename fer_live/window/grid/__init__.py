"""Several sources in one window: a tile for each, laid out in a grid, and what belongs to each.

Promises that nothing that happens to one source, its threads or its outputs touches another one.
"""
