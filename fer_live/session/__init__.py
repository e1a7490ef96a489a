"""Every thread of the live app: sources, their reopening, inference, mailboxes, markers that come.

May import `vision`, `sources` and `outputs`. Promises that frames never queue, that an error
crosses a thread as a value, and that stopping ends every thread.
"""
