"""Retraining on one person's own clips, in four stages: find faces, learn, prove, export.

May import `loop` and what lies below it, but not `export`: the command line hands over what builds
the files. Promises that a killed run can be resumed and that a finished one holds no face.
"""
