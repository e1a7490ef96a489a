"""The command line of `fer-live`, one file for each command.

May import every room. A person's mistake ends in one line and exit code 2, found before any work.
"""
