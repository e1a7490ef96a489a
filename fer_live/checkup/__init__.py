"""Whether this machine has what the app needs, and what a report of a problem tells about it.

May import `sources`, `vision`, `outputs`, `model` and `base`; no Qt. The window and the command
`doctor` show what is found here.
"""
