"""Whether a package that is installed here has a weakness that is known: `python -m release.audit`.

pip-audit, from an environment of its own under build/, asks the package index about every package
beside the Python that runs this. Exit code 1 where one has a known weakness; 0 where no index can
be reached, which it then says.
"""

import json
import subprocess
import sys
import sysconfig
from dataclasses import dataclass

from release.tools import BUILD, ReleaseError, command, environment, python_of

_VENV = BUILD / "audit-venv"
_UNREACHABLE = ("connection", "resolve", "timed out", "timeout", "network", "unreachable", "proxy")


@dataclass(frozen=True, slots=True)
class Weakness:
    """A known weakness of a package, and the first version without it; empty where none is."""

    package: str
    version: str
    known_as: str
    mended_in: str

    def line(self) -> str:
        """One line for a table."""
        then = f"mended in {self.mended_in}" if self.mended_in else "not mended yet"
        return f"{self.package} {self.version}: {self.known_as}, {then}"


def weaknesses(report: str) -> tuple[int, list[Weakness], list[str]]:
    """How many packages pip-audit's JSON tells of, what is known of them, and which could not be
    looked up."""
    packages = json.loads(report)["dependencies"]
    found = [
        Weakness(
            package["name"],
            package["version"],
            ", ".join([known["id"], *known["aliases"]]),
            known["fix_versions"][0] if known["fix_versions"] else "",
        )
        for package in packages
        for known in package.get("vulns", [])
    ]
    skipped = [f"{p['name']}: {p['skip_reason']}" for p in packages if "skip_reason" in p]
    return len(packages) - len(skipped), found, skipped


def cannot_reach(errors: str) -> bool:
    """Whether what a program printed says that no index answered."""
    return any(word in errors.lower() for word in _UNREACHABLE)


def main() -> None:
    """Print what is known."""
    try:
        python = python_of(_VENV)
        if not python.is_file():
            environment(_VENV, "pip-audit>=2.7")
    except ReleaseError as error:
        if not cannot_reach(str(error)):
            raise
        print("skipped: no package index can be reached, so pip-audit cannot be had")
        return
    place = sysconfig.get_path("purelib")
    done = subprocess.run(
        [python, "-m", "pip_audit", "--path", place, "--format", "json", "--progress-spinner=off"],
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout.lstrip().startswith("{"):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        if not cannot_reach(done.stderr):
            raise ReleaseError(f"pip-audit failed: {last}")
        print(f"skipped: the index tells nothing of weaknesses here: {last}")
        return
    n_packages, found, skipped = weaknesses(done.stdout)
    if n_packages == 0:
        print(f"skipped: the index tells nothing of weaknesses here: {skipped[0]}")
        return
    for line in skipped:
        print(f"not looked up: {line}")
    for weakness in found:
        print(weakness.line())
    print(f"{n_packages} packages, {len(found)} known weaknesses")
    if found:
        sys.exit(1)


if __name__ == "__main__":
    command(main)
