"""What a calibration says of itself: line by line while it is made, and in the model's manifest."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from fer_live.model.manifest import Manifest
from fer_live.personal.calibration import Calibrated, CalibrationStart, Embedded, Material
from fer_live.personal.evidence import Evidence
from fer_live.personal.models import shipped_sha256
from fer_live.personal.own_expression import OwnEvidence, kept_metrics, shows_rest
from fer_live.personal.own_faces import CropChange

_CARD = (
    "**Calibrated to one person.** Its crop and its classifier were fitted to one person's faces; "
    "how well it reads anyone else is not measured. What follows is the card of the model that it "
    "was made from."
)


def story(
    start: CalibrationStart, material: Material, person: Embedded, fitted: Calibrated
) -> list[str]:
    """One line for each step: what it used, or why it did nothing."""
    labels, common = start.manifest.common_labels, person.labels[person.is_common]
    shown = [labels[index] for index in np.unique(common)]
    change, alignment = person.crop_change, fitted.alignment
    crop = "left as it is; no other is clearly better"
    if change != CropChange():
        crop = (
            f"{change.scale:.2f} times as close, turned by {change.roll_degrees:+.0f} degrees, "
            f"moved by {100 * change.shift_y:+.0f} % of the side"
        )
    aligned = "none; the classifier does it, or no face is there to compare"
    if alignment.strength > 0:
        aligned = (
            f"{alignment.strength:.0%} of the way; about {alignment.variety:.1f} expressions shown"
        )
    head = f"fitted to {len(common)} labeled faces: {', '.join(shown)}"
    if fitted.labels_left_out:
        head = "left as it is; your takes speak against one of your own, and for your clips alone"
    elif fitted.hold is None:
        head = "left as it is; it takes labeled faces of two expressions or more"
    rest = int((common == labels.index("neutral")).sum()) if "neutral" in labels else 0
    return [
        f"faces: {len(material.unlabeled)} without a label ({len(person.unlabeled)} half seconds), "
        f"{len(material.labeled)} with one, {rest} of them at rest",
        f"crop: {crop}",
        f"alignment: {aligned}",
        f"classifier: {head}",
    ]


def story_of_own(
    start: CalibrationStart, person: Embedded, own: Mapping[str, OwnEvidence]
) -> list[str]:
    """One line for each expression of the person's own."""
    lines = []
    for number, name in enumerate(person.own_labels, len(start.head.bias)):
        if name not in own:
            lines.append(f"{name}: kept as it was; there are no takes of it this time")
            continue
        n_faces = int((person.labels == number).sum())
        told_from = f"told from your {own[name].against}"
        if own[name].against == "other people alone":
            told_from = (
                "but no face of yours is there to tell it from: it will answer at rest too; add "
                "takes of your face at rest, in neutral/"
            )
        elif own[name].against == "takes" and not shows_rest(start, person):
            told_from += "; none is at rest, where it may answer too: add some in neutral/"
        lines.append(f"{name}: fitted to {n_faces} faces, {told_from}")
    lost = [name for name in start.manifest.own_labels if name not in person.own_labels]
    return [*lines, *(f"{name}: forgotten" for name in lost)]


def personal_manifest(
    start: CalibrationStart,
    material: Material,
    person: Embedded,
    fitted: Calibrated,
    evidence: Evidence,
    own: Mapping[str, OwnEvidence],
    name: str,
) -> Manifest:
    """The start's manifest, with the new crop and labels, and what the model was made from."""
    old = start.manifest
    of_own = kept_metrics(old.metrics, person.own_labels)
    of_own |= {label: found.as_dict() for label, found in own.items()}
    before = old.training.get("personalized", {})
    base = before.get("base_sha256") if isinstance(before, dict) else None
    n_faces = len(material.unlabeled) + len(material.labeled)
    personalized = {
        "name": name,
        "closed_form": True,
        "base_sha256": base or shipped_sha256(),
        "n_unlabeled": len(material.unlabeled),
        "n_labeled": len(material.labeled),
        "n_takes": len(np.unique(person.takes)),
        "strength": round(fitted.alignment.strength, 3),
        "variety": round(fitted.alignment.variety, 2),
        "hold": fitted.hold,
        "verdict": evidence.verdict,
    }
    data = str(old.training.get("data", "?")).partition(", then ")[0]
    training = {
        **old.training,
        "data": f"{data}, then {n_faces} faces of a person in closed form",
        "made_on": date.today().isoformat(),
        "personalized": personalized,
    }
    is_read_anew = person.is_common.any() or len(person.unlabeled) > 0
    measured = evidence if is_read_anew and evidence.verdict != "against" else None
    return old.model_copy(
        update={
            "labels": (*old.common_labels, *person.own_labels),
            "own_labels": person.own_labels,
            "crop": person.crop_change.applied_to(old.crop),
            "embedding": fitted.alignment.statistics_before(start.statistics),
            "training": training if n_faces else old.training,
            "metrics": {**_measured(old, measured), **({"own": of_own} if of_own else {})},
            "card": old.card if old.card.startswith(_CARD) else f"{_CARD}\n\n---\n\n{old.card}",
        }
    )


def _measured(old: Manifest, evidence: Evidence | None) -> dict[str, Any]:
    """What was measured of the common labels; None where these are the start's, and so are its
    figures."""
    name = "on_takes_left_out"
    if evidence is None:
        return {name: old.metrics[name]} if name in old.metrics else {}
    return {
        name: {
            "n_takes": evidence.n_takes,
            "before": evidence.before,
            "after": evidence.after,
            "interval": evidence.interval,
        }
    }
