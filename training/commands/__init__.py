"""The commands of `fer-train`, one file each.

A command declares its arguments with `declare` and runs with `run`, which returns the exit code.
It imports what is slow to import only when it runs. May import every other room and `export`.
"""
