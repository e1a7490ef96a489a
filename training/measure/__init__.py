"""Figures of a model: accuracy, calibration, robustness, calmness, each with its interval.

May import `data` and what lies below it. Promises that every command measures the same images in
the same way.
"""
