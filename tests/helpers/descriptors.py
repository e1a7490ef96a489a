"""What this process holds open."""

from pathlib import Path

DESCRIPTORS = Path("/proc/self/fd")
"""Not there on systems that do not list them."""


def open_descriptors() -> set[tuple[str, str]]:
    """Number and target of every descriptor of this process; none where the system lists none.

    Compare what is new, never how many there are: what an earlier test left may be freed at any
    moment.
    """
    found = set()
    for path in DESCRIPTORS.iterdir() if DESCRIPTORS.is_dir() else ():
        try:
            found.add((path.name, str(path.readlink())))
        except FileNotFoundError:  # that of this listing itself
            continue
    return found
