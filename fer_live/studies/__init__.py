"""`fer-live summarize`: the rows of many sources, people and conditions, summed up by groups.

May import `recording` and what lies below it; it alone uses pandas, which the extra `[studies]`
brings. Promises that time counts, not rows: a share is the same at any frame rate and any
`--every`. Tables go from file to file here as pandas data frames, whose columns `tables.py` names.
"""
