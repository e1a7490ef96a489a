"""Cells of a CSV that no spreadsheet takes for formulas."""

_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | float | None


def plain_cell(value: Cell) -> Cell:
    """A spreadsheet would run a text that begins like a formula; a file may be called so."""
    is_formula = isinstance(value, str) and value.startswith(_FORMULA_BEGINS)
    return f"'{value}" if is_formula else value


def as_written(cell: str) -> str:
    """The text that a cell stands for: without the mark of one that begins like a formula."""
    begins = cell.startswith("'") and cell[1:].startswith(_FORMULA_BEGINS)
    return cell[1:] if begins else cell
