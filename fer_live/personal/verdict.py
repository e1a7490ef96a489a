"""What the evidence for a calibration says, in a person's words."""

from collections.abc import Mapping

from fer_live.base.translation import tr
from fer_live.personal.evidence import Evidence
from fer_live.personal.own_expression import OwnEvidence
from fer_live.personal.proof import Preference


def in_plain_words(evidence: Evidence) -> str:
    """One or two sentences: what was found, and what to do next."""
    n, before, after = evidence.n_takes, evidence.n_right_before, evidence.n_right_after
    if evidence.verdict == "proven":
        return tr(
            "Proven better: of {n} takes that it had not learnt from, {after} are read right now, "
            "{before} before.",
            n=n,
            before=before,
            after=after,
        )
    if evidence.verdict == "against":
        return tr(
            "Of {n} takes that it had not learnt from, {before} were read right before and {after} "
            "after. Nothing was changed. Brighter light and clearer looks help most.",
            n=n,
            before=before,
            after=after,
        )
    if evidence.before is None:
        return tr("Not proven: no expression has two takes, one to learn from and one to test.")
    return tr(
        "Not proven: of {n} takes that it had not learnt from, {after} are read right now and "
        "{before} before, which may be chance.",
        n=n,
        before=before,
        after=after,
    )


def own_in_plain_words(own: Mapping[str, OwnEvidence]) -> list[str]:
    """A sentence for each expression of the person's own."""
    lines = []
    for name, evidence in own.items():
        if evidence.recall is None or evidence.false_alarms is None:
            lines.append(tr("{name}: learnt, and not tested: it takes two takes.", name=name))
            continue
        lines.append(
            tr(
                "{name}: found in {recall:.0%} of a take that was left out, and wrongly in "
                "{alarms:.0%} of your other pictures.",
                name=name,
                recall=evidence.recall,
                alarms=evidence.false_alarms,
            )
        )
    return lines


def choice_in_plain_words(preference: Preference) -> str:
    """What came of a blind comparison."""
    return tr(
        "Of {n_shown} faces that the two read differently, you preferred the new model on {n_new} "
        "and the one before on {n_old}.",
        **preference.model_dump(),
    )
