"""The training loop, read top to bottom, with its teacher, optimizers and log.

May import `measure` and what lies below it. Knows no method: it hands over a batch and descends the
loss. Promises that a resumed run ends in the same weights as an uninterrupted one.
"""
