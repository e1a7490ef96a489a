"""`make docs-links`: asks every address of other sites that a page of the documentation links to.

It is no test, because it needs a network, and because other sites change without us.
"""

import re
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urldefrag

from tests.helpers.documentation import ROOT, pages

_ADDRESS = re.compile(r"\]\((https?://[^)\s]+)\)")
_TIMEOUT_S = 20
_REFUSES_PROGRAMS = (403, 405, 429)
"""Answers of sites that are there and do not want to be asked by a program."""


def addresses() -> dict[str, list[str]]:
    """Address -> the pages that link to it, anchors and all."""
    found: dict[str, list[str]] = {}
    for page in [*pages(), *(ROOT / "docs/decisions").glob("*.md")]:
        if page.suffix == ".md":
            for address in _ADDRESS.findall(page.read_text(encoding="utf-8")):
                found.setdefault(address, []).append(str(page.relative_to(ROOT)))
    return found


def trouble(address: str) -> str:
    """Why the address leads nowhere; empty where it does, and where its anchor is in the page."""
    where, anchor = urldefrag(address)
    request = urllib.request.Request(where, headers={"User-Agent": "Mozilla/5.0 (link check)"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            text = answer.read().decode("utf-8", "replace") if anchor else ""
    except urllib.error.HTTPError as error:
        return "" if error.code in _REFUSES_PROGRAMS else str(error)
    except (OSError, ValueError) as error:
        return str(error)
    known = re.search(rf"""(?:id|name)=["']?{re.escape(anchor)}["'\s>]""", text)
    return "" if not anchor or known else f"no anchor {anchor}"


def main() -> int:
    """Print what leads nowhere; the exit code is 1 where something does."""
    found = addresses()
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(found, pool.map(trouble, found), strict=True))
    broken = {address: why for address, why in answers.items() if why}
    for address, why in broken.items():
        print(f"{address}: {why} ({', '.join(found[address])})")
    print(f"{len(found)} addresses, {len(broken)} lead nowhere")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
