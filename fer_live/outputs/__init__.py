"""Where results go while they happen: one file for each output, and a worker that keeps them apart.

May import `base`. Promises that an output never holds up the pipeline: a slow one loses its oldest
results, which are counted.
"""
