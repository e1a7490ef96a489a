"""Networks, and the checkpoints that hold their weights.

May import `section` and `distributed`. Promises that a checkpoint carries its manifest and is never
pickled.
"""
