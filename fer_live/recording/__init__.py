"""What is kept of a session: recordings with their video and rows, playing them, and reports.

May import `session` and what lies below it. Promises that a recording can be read after a crash,
all but its last moment.
"""
