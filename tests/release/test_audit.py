"""What is made of pip-audit's answers; the index itself is asked by `make audit` alone."""

import json

import pytest

from release.audit import cannot_reach, weaknesses


def test_a_weakness_is_told_with_what_mends_it():
    known = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.1", "3.0"]}
    unmended = {"id": "PYSEC-2", "aliases": [], "fix_versions": []}
    packages = [
        {"name": "good", "version": "1.0", "vulns": []},
        {"name": "bad", "version": "2.0", "vulns": [known, unmended]},
        {"name": "own", "skip_reason": "not there"},
    ]
    n_packages, found, skipped = weaknesses(json.dumps({"dependencies": packages}))
    assert (n_packages, skipped) == (2, ["own: not there"])
    assert [weakness.line() for weakness in found] == [
        "bad 2.0: PYSEC-1, CVE-1, mended in 2.1",
        "bad 2.0: PYSEC-2, not mended yet",
    ]


@pytest.mark.parametrize(
    ("said", "is_away"),
    [
        ("requests.exceptions.ConnectionError: HTTPSConnectionPool", True),
        ("ERROR: Could not find a version: Failed to resolve 'pypi.org'", True),
        ("KeyError: 'vulns'", False),
        ("", False),
    ],
)
def test_an_index_that_is_away_is_told_from_a_fault(said: str, is_away: bool):
    assert cannot_reach(said) is is_away
