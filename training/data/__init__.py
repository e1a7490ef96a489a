"""Data sets, one file each, with splits, sampling, augmentation and batches.

May import `methods`, `models` and the config. Promises that the images of a batch are a function of
seed and step, and that equal images stay on one side of a split.
"""
