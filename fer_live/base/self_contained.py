"""The self-contained app, which brings its own Python and is without CUDA and torch."""

import sys


def is_self_contained() -> bool:
    """Whether this process is that app, and `pip install` can add nothing to it."""
    return bool(getattr(sys, "frozen", False))
