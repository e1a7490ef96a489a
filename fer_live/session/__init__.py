"""Every thread of the live app: reading a source, reopening it, inference, and their mailboxes.

May import `vision`, `sources` and `outputs`. Promises that frames never queue, that an error
crosses a thread as a value, and that stopping ends every thread.
"""
