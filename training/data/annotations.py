"""What is known of faces beside their labels, stored once and found again by a face's pixels.

Three kinds: `crops`, the face as the app would cut it; `landmarks`, what MediaPipe's Face
Landmarker measures in it; `answers`, the probabilities that teachers gave it.
`training/annotations/` makes them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fer_live.base.atomic_file import write_atomically
from fer_live.datatypes import FloatArray
from fer_live.errors import DataError, InputError
from training.data.face_pool import FacePool, fingerprints
from training.section import first_fault

Kind = Literal["crops", "landmarks", "answers"]

_ABOUT_KEY = "fer_live_annotations"


class AnnotationsAbout(BaseModel):
    """The header of a file of annotations.

    Attributes:
        kind: What the file holds.
        side: Side in pixels of the faces that they are of.
        names: The names of the columns: labels of answers, measures of landmarks; none of crops.
        source: How they were made, for a person.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    side: int
    names: tuple[str, ...] = ()
    source: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """Values of faces: `values` (N, ...), one row per face, whose pixels' fingerprints are `prints`
    (N, 16) uint8."""

    about: AnnotationsAbout
    prints: NDArray[np.uint8]
    values: NDArray[Any]

    def rows_of(self, faces: FacePool) -> NDArray[np.int64]:
        """Find the row of each face of a pool: (len(faces),) int64, -1 for a face without one."""
        known = {print_.tobytes(): row for row, print_ in enumerate(self.prints)}
        rows = [known.get(print_, -1) for chunk in faces.chunks() for print_ in fingerprints(chunk)]
        return np.array(rows, dtype=np.int64)


def mean_of(several: Sequence[Annotations]) -> Annotations:
    """Average the values of each face over those of one or more annotations that have it."""
    if len(several) == 1:
        return several[0]
    total: dict[bytes, FloatArray] = {}
    n_told: Counter[bytes] = Counter()
    for one in several:
        for print_, value in zip(one.prints, one.values.astype(np.float32), strict=True):
            key = print_.tobytes()
            total[key] = total[key] + value if key in total else value
            n_told[key] += 1
    prints = np.frombuffer(b"".join(total), np.uint8).reshape(-1, 16)
    means = [value / n_told[key] for key, value in total.items()]
    return Annotations(several[0].about, prints, np.asarray(means, np.float32))


def save_annotations(path: Path, annotations: Annotations) -> None:
    """Write annotations as one safetensors file, whole or not at all."""
    arrays = {"prints": annotations.prints, "values": np.ascontiguousarray(annotations.values)}
    content = save(arrays, metadata={_ABOUT_KEY: annotations.about.model_dump_json()})
    write_atomically(path, content)


def load_annotations(path: Path, kind: Kind, side: int) -> Annotations:
    """Read a file that `save_annotations` wrote.

    Raises:
        InputError: It is missing, of another kind, or of faces of another side.
        DataError: It cannot be read.
    """
    if not path.is_file():
        raise InputError(f"annotations.{kind}: {path}: no such file")
    try:
        with safe_open(path, framework="np") as file:
            header = (file.metadata() or {}).get(_ABOUT_KEY, "")
            about = AnnotationsAbout.model_validate_json(header)
            prints, values = file.get_tensor("prints"), file.get_tensor("values")
    except ValidationError as error:
        raise DataError(f"{path}: not a file of annotations: {first_fault(error)}") from None
    except (SafetensorError, OSError, AttributeError) as error:  # a type that numpy has not
        raise DataError(f"{path}: not a file of annotations: {error}") from None
    if (
        prints.dtype != np.uint8
        or prints.shape != (len(values), 16)
        or values.dtype.kind not in "fu"
    ):
        raise DataError(
            f"{path}: not a file of annotations: values {values.dtype} {values.shape} of faces "
            f"{prints.dtype} {prints.shape}; make it anew"
        )
    if len(values) == 0:
        raise DataError(f"annotations.{kind}: {path}: no face in it; make it anew")
    if about.kind != kind:
        raise InputError(f"annotations.{kind}: {path}: holds {about.kind}; make {kind} anew")
    if about.side != side:
        raise InputError(
            f"annotations.{kind}: {path}: of faces of {about.side} pixels, and model.input_side is "
            f"{side}; make it anew"
        )
    return Annotations(about, prints, values)
