"""What came of a personalization, in words for a person and as JSON for a program."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_live.personal.evidence import Evidence
from fer_live.personal.own_expression import OwnEvidence


def refusal(evidence: Evidence) -> str:
    """One line where the takes speak against the new model."""
    return (
        f"takes that were left out were read right {evidence.n_right_before} of "
        f"{evidence.n_takes} times before and {evidence.n_right_after} after; nothing was changed. "
        "Brighter light and clearer looks help most: record the takes again"
    )


def kept(evidence: Evidence) -> str:
    """One line where the takes speak against another reading of the common labels, and expressions
    of the person's own are new."""
    return (
        f"takes that were left out were read right {evidence.n_right_before} of "
        f"{evidence.n_takes} times before and {evidence.n_right_after} after, so the other "
        "expressions stay as they were"
    )


def result_of_own(name: str, found: OwnEvidence) -> str:
    """One line for an expression of the person's own."""
    if found.recall is None:
        measured = "not measured; it takes two takes of it to leave one out"
    else:
        measured = f"read in {found.recall:.0%} of its faces in {found.n_takes} takes left out"
    alarms = "" if found.false_alarms is None else f", in {found.false_alarms:.1%} of all others"
    return f"{name}: {measured}{alarms}"


def result(evidence: Evidence) -> str:
    """One line where a model was written: what was measured, and whether it proves anything."""
    if evidence.before is None or evidence.after is None or evidence.interval is None:
        return "not proven: it takes two takes of an expression to leave one out"
    lower, upper = (100 * bound for bound in evidence.interval)
    measured = (
        f"balanced recall on {evidence.n_takes} takes left out: {100 * evidence.before:.0f} % "
        f"before, {100 * evidence.after:.0f} % after, the gain between {lower:+.0f} and "
        f"{upper:+.0f} points"
    )
    why = {"proven": "proven", "too few takes": "not proven, too few takes"}
    return f"{why.get(evidence.verdict, 'not proven')}: {measured}"


def as_json(
    evidence: Evidence,
    used: Mapping[str, int],
    skipped: Sequence[str],
    model: Path | None,
    *,
    installed: bool,
) -> dict[str, Any]:
    """What `--json` writes; `model` is None where none was written."""
    return {
        "before": evidence.before,
        "after": evidence.after,
        "interval": evidence.interval,
        "proven": evidence.verdict == "proven",
        "used": dict(used),
        "model": None if model is None else str(model),
        "installed": installed,
        "n_takes": evidence.n_takes,
        "skipped": list(skipped),
    }
