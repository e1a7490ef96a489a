"""What every table of a config is: frozen, and without room for a misspelt field."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of a TOML config; each field carries its description and default."""

    model_config = ConfigDict(frozen=True, extra="forbid")
