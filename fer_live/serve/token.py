"""The token that clients from other machines must know."""

import hmac
import os
from pathlib import Path

from fer_live.base.regular_file import read_text
from fer_live.errors import InputError
from fer_live.outputs.address import Address

ENVIRONMENT = "FER_LIVE_TOKEN"
_MIN_LENGTH = 16
_MAX_BYTES = 1 << 16
_HOW_TO_MAKE = (
    "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))' > token.txt"
)


def find_token(file: Path | None, address: Address) -> str:
    """The token in a file, or in the environment; empty where there is none and none is needed.

    It is never taken from the command line itself, which every user of the machine can read in the
    list of processes.

    Raises:
        InputError: The address is beyond this machine and there is no token, the file cannot be
            read, or the token is too short. The message never holds what was given.
    """
    if file is None:
        token, where = os.environ.get(ENVIRONMENT, "").strip(), ENVIRONMENT
    else:
        where = "--token"
        try:
            token = read_text(file, _MAX_BYTES).strip()
        except (OSError, ValueError):
            # Not its name: somebody may have written the token itself there.
            raise InputError(
                "--token: names a file that holds the token, and that file cannot be read; a "
                f"token itself belongs there or in {ENVIRONMENT}, for a list of processes shows "
                "what stands on the command line"
            ) from None
    if not token and file is None:
        if address.is_loopback:
            return ""
        raise InputError(
            f"--host {address.host}: beyond this machine, a token is needed; {_HOW_TO_MAKE} and "
            f"add --token token.txt, or set {ENVIRONMENT}"
        )
    if len(token) < _MIN_LENGTH or not token.isascii() or not token.isprintable():
        raise InputError(
            f"{where}: a token has {_MIN_LENGTH} or more letters, digits and signs of ASCII; "
            f"{_HOW_TO_MAKE}"
        )
    return token


def is_token(given: str, token: str) -> bool:
    """Whether they are the same, in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.encode(), token.encode())
