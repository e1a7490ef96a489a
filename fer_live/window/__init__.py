"""The window: `app` builds and ends it, `main_window` joins its pieces, one file each.

May import every room but `analyze` and `commands`. Everything here runs on the GUI thread; no frame
travels through a Qt signal.
"""
