"""`fer-live serve`: an HTTP service that takes an image or a clip and answers with its rows.

May import `recording` and what lies below it; it alone uses starlette and uvicorn, which the extra
`[serve]` brings. Promises that nothing uploaded reaches a disk, that nothing is loaded from or sent
to anywhere but the client, and that no client can hold up or fill the service for others.
"""
