"""What every other room may lean on: settings, folders, whole-or-nothing files, batch files,
languages, colours.

Imports only the data types and errors beside it. Promises that a failed write never destroys what
was there, and that every text a person sees can be translated.
"""
