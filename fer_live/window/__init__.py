"""The window: its pages, actions, settings and dialogs, and `app`, which builds and ends it.

May import every room but `analyze` and `commands`. Everything here runs on the GUI thread; no frame
travels through a Qt signal.
"""
