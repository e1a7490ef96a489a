"""Tests of what is given to people; the heavy builds are run by `make release`."""
