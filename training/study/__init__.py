"""Many runs: grids of methods, budgets and seeds, and the report that is made from their results.

May import `loop` and what lies below it. Promises that a table is made from the cells' files alone.
"""
