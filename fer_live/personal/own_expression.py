"""An expression of one's own, as one more row of the classifier: fitted to takes of it, against
everything that does not show it.

The rows of the common labels stay as they are, so the answers among them are the same with an
expression of one's own and without. What does not show it: the person's takes of anything else;
where the rest face is not among these, their clips; and other people, drawn from the manifest's
means and spread. With other people alone, a row learns whose face it is and answers at rest too,
which no closed form can know better; so that is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fer_live.model.head import Head
from fer_live.personal.calibration import (
    Calibrated,
    CalibrationStart,
    Embedded,
    calibrate_embedded,
    read_probs,
)
from fer_live.personal.evidence import take_folds
from fer_live.personal.own_head import (
    HOLDS,
    Float64Array,
    Rows,
    fit_head,
    other_people,
    take_counts,
    typical_deviation,
)

Against = Literal["takes", "clips", "takes and clips", "other people alone"]
"""What an expression was told from, of the person's own faces."""

_HOLD = 0.03
"""Held to a row of zeros, which never answers: its logit is 0, and the common ones' are not. On six
persons of clips with four made-up expressions each, 0.003 to 0.3 differ by 2 points."""
_SHARE_OF_PERSON = 3.0
_SHARE_OF_OTHERS = 3.0
"""How much faces that do not show it count, those that do counting 1: it should rather miss than
answer at rest. At 1 the person's own gave 2.5 points more false alarms and 1 more recall."""


@dataclass(frozen=True, slots=True)
class OwnEvidence:
    """How one expression is read in takes that were left out, frame by frame, unsmoothed.

    `recall` is the share of its faces that are read as it, each take counting alike; `false_alarms`
    that of all other faces that are. None where no such take could be left out.
    """

    n_takes: int
    recall: float | None
    false_alarms: float | None
    against: Against

    def as_dict(self) -> dict[str, Any]:
        """For JSON and the manifest."""
        return {
            "n_takes": self.n_takes,
            "recall": self.recall,
            "false_alarms": self.false_alarms,
            "against": self.against,
        }


def with_own_rows(
    start: CalibrationStart, person: Embedded, common: Calibrated, learned: NDArray[np.bool_]
) -> Head:
    """The classifier of all labels for raw embeddings, the person's own ones last.

    An expression of which there are faces among the `learned` (L,) is learnt anew; another one
    keeps the row that the start has for it.
    """
    n_common = len(common.head.bias)
    shown = set(np.unique(person.labels[learned]).tolist())
    numbers = range(n_common, n_common + len(person.own_labels))
    kept = [number for number in numbers if number not in shown]
    learnt = [number for number in numbers if number in shown]
    old = start.manifest.own_labels
    kept_rows = start.own.rows([old.index(person.own_labels[n - n_common]) for n in kept])
    fixed = common.head.and_also(
        kept_rows.after_affine(common.alignment.scale, common.alignment.shift)
    )
    order = [*range(n_common), *kept, *learnt]
    head = _with_learnt_rows(start, person, common, learned, fixed, order) if learnt else fixed
    return head.rows(np.argsort(order))


def gather_own_evidence(
    start: CalibrationStart, person: Embedded, common: Calibrated, *, fits_common: bool = True
) -> dict[str, OwnEvidence]:
    """Each own expression of which there are takes, by its name. Leaves takes of all labels out in
    turn, fits everything to the rest (the common labels by the hold of `common`, unless they stay
    as `common` has them), and reads the faces left out."""
    n_common = len(common.head.bias)
    everything = np.ones(len(person.labels), dtype=np.bool_)
    folds = take_folds(person.labels, person.takes, everything) if (~person.is_common).any() else []
    tested, read = np.zeros(len(everything), dtype=np.bool_), np.full(len(everything), -1)
    for fold in folds:
        of_rest = common
        if fits_common:
            of_rest = calibrate_embedded(start, person, ~fold, common.hold or HOLDS[0])
        head = with_own_rows(start, person, of_rest, ~fold)
        tested |= fold
        # The face as it is: what the app reads, which knows no mirror image.
        read[fold] = read_probs(start, head, person.views[fold, 0]).argmax(axis=1)
    return {
        name: _evidence_of(number, person, tested, read, against_of(start, person))
        for number, name in enumerate(person.own_labels, n_common)
        if (person.labels == number).any()
    }


def kept_metrics(metrics: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """What a manifest's metrics say of those own expressions that are kept."""
    own = metrics.get("own", {})
    return {name: own[name] for name in names if isinstance(own, dict) and name in own}


def _evidence_of(
    number: int,
    person: Embedded,
    tested: NDArray[np.bool_],
    read: NDArray[np.int64],
    against: Against,
) -> OwnEvidence:
    shows = person.labels == number
    takes = np.unique(person.takes[shows & tested])
    recalls = [(read[tested & (person.takes == take)] == number).mean() for take in takes]
    others = tested & ~shows
    return OwnEvidence(
        n_takes=len(np.unique(person.takes[shows])),
        recall=float(np.mean(recalls)) if recalls else None,
        false_alarms=float((read[others] == number).mean()) if others.any() else None,
        against=against,
    )


def against_of(start: CalibrationStart, person: Embedded) -> Against:
    """What of the person's own faces the expressions are told from."""
    if not person.is_common.any():
        return "clips" if len(person.unlabeled) else "other people alone"
    return "takes and clips" if _takes_in_clips(start, person) else "takes"


def shows_rest(start: CalibrationStart, person: Embedded) -> bool:
    """Whether the face at rest is among the takes; of a model that has no word for it, any is."""
    labels = start.manifest.common_labels
    is_rest = person.labels == labels.index("neutral") if "neutral" in labels else person.is_common
    return bool(is_rest.any())


def _takes_in_clips(start: CalibrationStart, person: Embedded) -> bool:
    """Clips may hold the expression too, so they only stand in for the face at rest."""
    return len(person.unlabeled) > 0 and not shows_rest(start, person)


def _with_learnt_rows(
    start: CalibrationStart,
    person: Embedded,
    common: Calibrated,
    learned: NDArray[np.bool_],
    fixed: Head,
    order: list[int],
) -> Head:
    """`fixed` and a row for each further label of `order`, all in that order."""
    n_labels, n_values = len(order), person.views.shape[2]
    place = np.argsort(order)
    others = learned & person.is_common
    n_learnt = n_labels - len(fixed.bias)
    rows = _rows_of(person, learned & ~person.is_common, place, float(n_learnt))
    if others.any():
        rows = rows.and_also(_rows_of(person, others, place, _SHARE_OF_PERSON))
    if _takes_in_clips(start, person):
        rows = rows.and_also(_not_showing(person.unlabeled, n_labels, _SHARE_OF_PERSON))
    # In the space of raw embeddings, where the rows read.
    statistics = common.alignment.statistics_before(start.statistics)
    drawn = other_people(statistics, common.head, start.manifest.temperature).embeddings
    rows = rows.and_also(_not_showing(drawn, n_labels, _SHARE_OF_OTHERS))
    zeros = Head(np.zeros((n_learnt, n_values), np.float32), np.zeros(n_learnt, np.float32))
    return fit_head(
        fixed.and_also(zeros),
        rows,
        start.manifest.temperature,
        _HOLD,
        typical_deviation(statistics),
        n_fixed=len(fixed.bias),
    )


def _rows_of(
    person: Embedded, chosen: NDArray[np.bool_], place: NDArray[np.int64], share: float
) -> Rows:
    """A row per view of the chosen faces, which count `share` in all."""
    n_views, n_values = person.views.shape[1:]
    labels = np.repeat(place[person.labels[chosen]], n_views)
    counts = take_counts(labels, np.repeat(person.takes[chosen], n_views))
    targets = np.eye(len(place))[labels]
    return Rows(
        person.views[chosen].reshape(-1, n_values), targets, share * counts, np.zeros_like(targets)
    )


def _not_showing(embeddings: Float64Array, n_labels: int, share: float) -> Rows:
    """Faces that show none of the own expressions. Which common label they show is all the same,
    for those rows stay as they are."""
    targets = np.zeros((len(embeddings), n_labels))
    targets[:, 0] = 1
    counts = np.full(len(embeddings), share / len(embeddings))
    return Rows(embeddings, targets, counts, np.zeros_like(targets))
