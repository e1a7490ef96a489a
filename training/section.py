"""The base of every table of a config, and the message for a table that is wrong."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

_EXPECTED = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such field",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "string_type": "expected text in quotes",
    "tuple_type": "expected a list in brackets",
    "list_type": "expected a list in brackets",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "too_short": "expected one at least",
    "greater_than": "expected a number above {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected a number below {lt}",
    "less_than_equal": "expected at most {le}",
    "multiple_of": "expected a multiple of {multiple_of}",
    "literal_error": "expected {expected}",
    "json_invalid": "not JSON",
}
"""Kind of fault -> our words, with what the fault tells in braces."""
_NOTHING_GIVEN = {"missing", "extra_forbidden"}


class Section(BaseModel):
    """A table of a TOML config: frozen, each field with its description and default.

    A field that it does not know is refused, so that a misspelt name is found; so are inf and nan,
    and true where a number is wanted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _true_is_no_number(cls, values: Any) -> Any:
        for name, value in values.items() if isinstance(values, dict) else ():
            field = cls.model_fields.get(name)
            if isinstance(value, bool) and field and field.annotation in (int, float):
                raise ValueError(f"{name}: expected a number, got {str(value).lower()}")
        return values


def first_fault(error: ValidationError, *, table: str = "", of: str = "") -> str:
    """Describe the first fault that a check found, in one line, in our words.

    `table` is the table that was checked, and `of` what it belongs to, where the fault tells
    neither.
    """
    first = error.errors()[0]
    field = ".".join(str(part) for part in (table, *first["loc"]) if part != "")
    field = f"{field} of {of}" if of else field
    if first["type"] == "value_error":
        message = first["msg"].removeprefix("Value error, ")
        return f"{field}: {message}" if field else message
    expected = _EXPECTED.get(first["type"], first["msg"]).format(**first.get("ctx", {}))
    told = f"{field}: {expected}" if field else expected
    return told if first["type"] in _NOTHING_GIVEN else f"{told}, got {first['input']!r}"
