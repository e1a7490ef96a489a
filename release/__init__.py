"""Builds what is given to people: the wheel, the self-contained folder, the Debian package.

Each file is one step and a command of its own (`python -m release.FILE --help`); the Makefile calls
them. Nothing of this room is in the wheel. It imports only the standard library, so that any Python
3.11 runs it; `entry.py` alone, which is frozen, imports the app. It promises that what it says was
built was also started.
"""
