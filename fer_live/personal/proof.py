"""What speaks for a retrained model, or against it: measured labels, or the person's own eyes."""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fer_live.base.array_file import ArrayFault, load_arrays
from fer_live.base.atomic_file import write_atomically
from fer_live.base.regular_file import read_whole
from fer_live.base.translation import tr
from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.errors import InputError

PROOF_FILE = "proof.json"
FACES_FILE = "faces.npz"
"""The person's faces, in the folder of a retraining that is not finished."""
COMPARED_FILE = "compared.npz"
_MAX_LABELS = 256
MIN_COMPARED = 20
"""Faces on which two models must disagree before a person can choose between them."""
MAX_COMPARED = 40
"""Faces that are kept for the person to compare."""
MIN_TAKES = 6
"""Takes from which a bootstrap over them proves anything: by chance, six of six get better with a
probability of 2 ** -6, less than the 2.5 % beyond its lower bound."""


class LabelGain(BaseModel):
    """Balanced recall on takes that were left out, before and after, in shares.

    `lower` and `upper` bound the gain at 95 % by a paired bootstrap over the takes.
    """

    model_config = ConfigDict(frozen=True)

    n_faces: int
    n_takes: int
    before: float
    after: float
    lower: float
    upper: float

    @property
    def is_proof(self) -> bool:
        """With fewer takes, chance alone may leave every resampled gain above 0."""
        return self.n_takes >= MIN_TAKES

    @property
    def speaks_against(self) -> bool:
        """Enough takes, and no gain on them."""
        return self.is_proof and self.after <= self.before


class Flicker(BaseModel):
    """Switches of the likeliest label a minute, in the person's clips. It proves nothing: a model
    that always says the same never switches."""

    model_config = ConfigDict(frozen=True)

    before: float
    after: float


class Preference(BaseModel):
    """What the person chose, not knowing which model was which."""

    model_config = ConfigDict(frozen=True)

    n_shown: int
    n_new: int
    n_old: int


class Proof(BaseModel):
    """`gain` where there are labels; else the person has to choose on `n_differing` faces."""

    model_config = ConfigDict(frozen=True)

    gain: LabelGain | None = None
    n_differing: int = Field(0, description="faces that the two models read differently")
    flicker: Flicker | None = None
    preference: Preference | None = None
    skipped: tuple[str, ...] = Field((), description="files that were not learnt from, and why")

    @property
    def _is_for_the_eye(self) -> bool:
        """Whether the labels, if there are any, leave the word to the person."""
        gain = self.gain
        if gain is None or not gain.is_proof:
            return True
        return gain.lower <= 0 and not gain.speaks_against

    @property
    def speaks_against(self) -> bool:
        """Whether the takes say that the new model is not better."""
        return self.gain is not None and self.gain.speaks_against

    @property
    def passes(self) -> bool:
        """Whether the new model may be installed."""
        if self.gain is not None and not self._is_for_the_eye:
            return self.gain.lower > 0
        chosen = self.preference
        if chosen is None:
            return False
        return chosen.n_shown >= MIN_COMPARED and chosen.n_new > chosen.n_old

    @property
    def may_ask(self) -> bool:
        """Whether the person is still to compare the two models and decide."""
        is_undecided = self._is_for_the_eye and self.preference is None
        return is_undecided and self.n_differing >= MIN_COMPARED

    def verdict(self) -> str:
        """One line: what was found, and so what."""
        lines = [] if self.gain is None else [self._gain_as_text(self.gain)]
        if self._is_for_the_eye:
            lines.append(self._choice_as_text())
        return "; ".join(lines)

    def _gain_as_text(self, gain: LabelGain) -> str:
        found = tr(
            "right on {before:.1%} before and {after:.1%} after, of {n_faces} faces in "
            "{n_takes} takes never trained on; the gain is between {lower:+.1%} and "
            "{upper:+.1%}",
            **gain.model_dump(),
        )
        if not gain.is_proof:
            return found + tr(": too few takes to prove it")
        if gain.lower <= 0:
            return found + tr(": not proven better")
        return found

    def _choice_as_text(self) -> str:
        if self.preference is not None:
            found = tr(
                "of {n_shown} faces read differently, {n_new} were better read by the new model, "
                "{n_old} by the one before",
                **self.preference.model_dump(),
            )
            return found if self.passes else found + tr(": not preferred")
        if self.may_ask:
            return tr("no labels to prove it by; {n} faces to choose by", n=self.n_differing)
        return tr(
            "no labels, and the two models differ on {n} faces alone, fewer than {least}: nothing "
            "to choose by",
            n=self.n_differing,
            least=MIN_COMPARED,
        )


def save_proof(run_dir: Path, proof: Proof) -> None:
    """Beside the model that it is about; raises `OutputError`."""
    write_atomically(
        run_dir / PROOF_FILE, proof.model_dump_json(indent=2).encode() + b"\n", is_private=True
    )


def load_proof(run_dir: Path) -> Proof:
    """Read the proof of a finished retraining; raises `InputError` where there is none."""
    try:
        return Proof.model_validate_json(read_whole(run_dir / PROOF_FILE))
    except (OSError, ValidationError):
        raise InputError(
            tr(
                "{run_dir}: no finished retraining there (its {file} cannot be read); run "
                "fer-train personalize first",
                run_dir=run_dir,
                file=PROOF_FILE,
            )
        ) from None


class Compared(NamedTuple):
    """Faces (K, S, S) uint8 that the two models read differently; (K, C) probabilities of both;
    the C labels."""

    faces: UInt8Array
    before: FloatArray
    after: FloatArray
    labels: tuple[str, ...]


def save_compared(run_dir: Path, compared: Compared) -> None:
    """Write the faces that the person is to choose by, which `load_compared` reads."""
    content = io.BytesIO()
    np.savez_compressed(
        content,
        faces=compared.faces,
        before=compared.before,
        after=compared.after,
        labels=np.array(compared.labels),
    )
    write_atomically(run_dir / COMPARED_FILE, content.getvalue(), is_private=True)


def load_compared(run_dir: Path) -> Compared:
    """What the person is to choose by; `InputError` where it cannot be read."""
    wanted = {"faces": ("u", 3), "before": ("f", 2), "after": ("f", 2), "labels": ("U", 1)}
    try:
        told = load_arrays(run_dir / COMPARED_FILE, wanted)
        if len(told["labels"]) > _MAX_LABELS:
            raise ArrayFault("more labels than a model has")
        labels = tuple(told["labels"].tolist())
        faces, answers = told["faces"], (told["before"], told["after"])
        is_whole = faces.dtype == np.uint8 and min(faces.shape[1:]) > 0 and len(labels) > 0
        if not is_whole or any(probs.shape != (len(faces), len(labels)) for probs in answers):
            raise ArrayFault("faces and answers are not of each other")
    except ArrayFault:
        raise InputError(tr("{path}: cannot be read", path=run_dir / COMPARED_FILE)) from None
    return Compared(faces, *answers, labels)


def differing(before: FloatArray, after: FloatArray, max_rows: int) -> NDArray[np.int64]:
    """Find the rows that the two models read differently, at most `max_rows` of them.

    Those in which both are surest come first (the smaller of the two leads is largest), because a
    person can tell these best.
    """
    old, new = before.argmax(axis=1), after.argmax(axis=1)
    rows = np.flatnonzero(old != new)
    lead_before = before[rows, old[rows]] - before[rows, new[rows]]
    lead_after = after[rows, new[rows]] - after[rows, old[rows]]
    order = np.argsort(-np.minimum(lead_before, lead_after), kind="stable")
    return np.asarray(rows[order][:max_rows], dtype=np.int64)


def tally(choices: NDArray[np.int8]) -> Preference:
    """Choices (K,): 1 the new model, 0 the one before, -1 neither."""
    return Preference(
        n_shown=len(choices), n_new=int((choices == 1).sum()), n_old=int((choices == 0).sum())
    )
