"""Writes the rows of Markdown tables, which all figures are printed in."""


def table_row(*cells: str) -> str:
    """Write one row of a Markdown table."""
    return f"| {' | '.join(cells)} |"
