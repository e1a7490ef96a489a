"""What the app's own web pages are made of: the library of plots, their look, and what joins them.

May import `base` alone. A page is one file with everything in it, which loads nothing from
anywhere, and says so to the browser by its policy.
"""
