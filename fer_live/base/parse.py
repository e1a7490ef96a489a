"""JSON and TOML of a file, read so that whatever is wrong with it is a `ValueError`."""

import json
import tomllib
from typing import Any

_TOO_DEEP = "brackets within brackets without an end"


def parse_json(text: str | bytes) -> Any:
    """What a JSON text stands for; `ValueError` where it is none, or is nested without an end."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text; `ValueError` where it is none, or is nested without an end."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
