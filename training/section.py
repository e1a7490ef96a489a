"""The base of every table of a config, and the message for a table that is wrong."""

from pydantic import BaseModel, ConfigDict, ValidationError


class Section(BaseModel):
    """A table of a TOML config: frozen, each field with its description and default.

    A field that it does not know is refused, so that a misspelt name is found; so is inf or nan.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def first_fault(error: ValidationError) -> str:
    """Describe the first fault that the check of a config found, in one line."""
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return f"{message}; `fer-train config` prints every field"
    field = ".".join(str(part) for part in first["loc"])
    return f"{field}: {message}, got {first['input']!r}; `fer-train config` prints every field"
