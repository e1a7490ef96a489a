"""`fer-live analyze`: the live pipeline over files, folders and streams, without a window.

May import `painting`, `personal` and what lies below them. Promises that no frame is dropped, and
that an interrupted batch goes on where it was.
"""
