"""Paints a result on its own frame, for the window and for annotated videos alike.

May import `recording` and what lies below it, and of Qt only QtCore and QtGui: no widgets. Works
without a screen.
"""
