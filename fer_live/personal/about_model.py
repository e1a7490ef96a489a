"""What a model is, for the person who uses it: made when, from what, and how well it reads."""

from dataclasses import dataclass
from typing import Any

from fer_live.base.translation import tr, tr_label, tr_n
from fer_live.model.manifest import EVERYDAY, Manifest
from fer_live.personal.models import InstalledModel

_LARGEST = 1e15
"""Neither a count nor a share; no infinity either, and what is no number is not below it."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to know of a model, as a question in a word or two and its answer."""

    about: str
    answer: str


def made_on(manifest: Manifest) -> str:
    """The day a person's model was made, as YYYY-MM-DD; empty for one that says none."""
    return str(manifest.training.get("made_on", ""))


def score(manifest: Manifest) -> str:
    """How well it reads, in a few words; empty where nobody has measured it."""
    takes, told = _takes(manifest), _everyday(manifest)
    if takes is not None:
        return tr("reads {share:.0%} of your test takes", share=takes["after"])
    if told is not None and not _is_personal(manifest):
        return tr("reads {share:.0%} of test pictures", share=told["accuracy"])
    return ""


def facts(model: InstalledModel) -> list[Fact]:
    """What there is to know of it, the most useful first. Raises `ModelError`."""
    manifest = model.manifest()
    found = [
        Fact(tr("Tells apart"), ", ".join(tr_label(label) for label in manifest.labels)),
        Fact(tr("Learnt from"), _learnt_from(manifest)),
        Fact(tr("How well it reads"), _how_well(manifest)),
        Fact(
            tr("What it tells"),
            tr(
                "How a face looks to other people, not what somebody feels. It is wrong at times, "
                "and more often for some people than for others."
            ),
        ),
        Fact(
            tr("Not for"),
            tr(
                "Work, school, hiring, the police, diagnosis, or judging anyone. Using it to infer "
                "feelings at work or in education is forbidden in the EU."
            ),
        ),
    ]
    if model.folder is not None:
        found.append(Fact(tr("Lies in"), str(model.folder)))
    return found


def _learnt_from(manifest: Manifest) -> str:
    n = manifest.training.get("n_images")
    n_unlabeled = manifest.training.get("n_unlabeled")
    lines = []
    if isinstance(n, int):
        lines.append(tr_n("{n} labeled picture of a face", "{n} labeled pictures of faces", n))
    if isinstance(n_unlabeled, int) and n_unlabeled:
        lines.append(tr_n("{n} more without a label", "{n} more without labels", n_unlabeled))
    story = manifest.training.get("personalized")
    if isinstance(story, dict):
        counts = (story.get(key, 0) for key in ("n_labeled", "n_unlabeled"))
        n_own = sum(n for n in counts if isinstance(n, int))
        name, when = story.get("name", "?"), made_on(manifest) or "?"
        lines.append(
            tr("then {n} pictures of {name}, on {when}", n=n_own, name=name, when=when)
            if n_own
            else tr("then pictures of {name}, on {when}", name=name, when=when)
        )
    return ", ".join(lines) or tr("it does not say")


def _how_well(manifest: Manifest) -> str:
    takes, told = _takes(manifest), _everyday(manifest)
    if takes is not None:
        return tr(
            "Of {n} takes of yours that it had not learnt from, an expression is read right in "
            "{after:.0%} on average; the model before it reached {before:.0%}.",
            n=takes["n_takes"],
            before=takes["before"],
            after=takes["after"],
        )
    if _is_personal(manifest) or told is None:
        return tr("Not measured: no expression has two takes, one to learn from and one to test.")
    return tr(
        "Of {n} pictures that it was not trained on, it reads {share:.0%} as most people who "
        "labeled them. Happy and neutral faces it reads best, rare expressions worst.",
        n=told["n"],
        share=told["accuracy"],
    )


def _is_personal(manifest: Manifest) -> bool:
    return "personalized" in manifest.training


def _takes(manifest: Manifest) -> dict[str, Any] | None:
    """What was measured on takes left out, where it was."""
    return _measured(manifest.metrics.get("on_takes_left_out"), "n_takes", "before", "after")


def _everyday(manifest: Manifest) -> dict[str, Any] | None:
    """What was measured of the everyday prior, where it was: n and accuracy."""
    priors = _measured(manifest.metrics.get("priors"), "n")
    found = _measured(priors.get(EVERYDAY), "accuracy") if priors else None
    return {**found, "n": priors["n"]} if priors and found else None


def _measured(found: object, *names: str) -> dict[str, Any] | None:
    """Figures, where they are numbers: what a stranger wrote into a model may be anything."""
    if not isinstance(found, dict):
        return None
    return found if all(_is_number(found.get(name)) for name in names) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < _LARGEST
