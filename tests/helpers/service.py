"""`fer-live serve` in a process of its own, with limits that a test can wait for.

`python -m tests.helpers.service '{"body_s": 1}'` serves with those limits.
"""

import json
import os
import sys

from benchmarks.serve import started
from fer_live.commands.options import tell
from fer_live.outputs.address import Address
from fer_live.serve.limits import Limits
from fer_live.serve.server import serve
from fer_live.serve.token import find_token
from fer_live.vision.pipeline import Pipeline

__all__ = ["impatient", "started"]


def impatient(**limits: float) -> list[str]:
    """The command that `started` runs for a service with these limits, on this machine alone."""
    return [sys.executable, "-m", "tests.helpers.service", json.dumps(limits)]


def main() -> None:
    """Serve on a free port."""
    address = Address(os.environ.get("TEST_HOST", "127.0.0.1"), 0)
    token = find_token(None, address)
    limits = Limits(**json.loads(sys.argv[1]))
    serve(address, token, limits, Pipeline.load, lambda at: tell(f"serving at http://{at}/"))


if __name__ == "__main__":
    main()
