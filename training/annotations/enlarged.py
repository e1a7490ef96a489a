"""All faces that a config trains on, as the network gets them and large enough for MediaPipe."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_live.datatypes import UInt8Array
from training.config import TrainConfig
from training.data.annotations import Annotations, AnnotationsAbout, Kind
from training.data.face_pool import fingerprints
from training.data.labeled_images import FaceImages
from training.data.sources import LABELED_KINDS, load_unlabeled, split_source

_ENLARGED_SIDE = 192
"""Four times FER2013's, twice FairFace's."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What was found in the faces of a config: annotations, and how many faces there were."""

    annotations: Annotations
    n_faces: int


def annotate(
    config: TrainConfig,
    kind: Kind,
    names: tuple[str, ...],
    measure: Callable[[UInt8Array, int], NDArray[Any] | None],
    source: dict[str, Any],
) -> Measured:
    """Measure every face that a config trains on, each once.

    Args:
        config: Whose data is read, at the side of its network.
        kind: What is measured.
        names: The names of the values.
        measure: Takes a face enlarged to (192, 192) uint8 gray and the network's side; returns its
            values, None where it finds no face.
        source: How the values are made, for the header.
    """
    side = config.model.input_side
    prints: list[bytes] = []
    values: list[NDArray[Any]] = []
    seen: set[bytes] = set()
    for images, enlarged in _parts(config, side):
        pairs = zip(fingerprints(images.images), enlarged.images, strict=True)
        for print_, face in tqdm(
            pairs, total=len(images), desc=images.name, unit="face", disable=None
        ):
            if print_ in seen:
                continue
            seen.add(print_)
            found = measure(face, side)
            if found is not None:
                prints.append(print_)
                values.append(found)
    about = AnnotationsAbout(kind=kind, side=side, names=names, source=source)
    found_prints = np.frombuffer(b"".join(prints), np.uint8).reshape(-1, 16)
    return Measured(Annotations(about, found_prints, np.array(values)), len(seen))


def _parts(config: TrainConfig, side: int) -> Iterator[tuple[FaceImages, FaceImages]]:
    """Each data set of a config twice: at the network's side, and enlarged."""
    kind_name, folder = split_source(config.data.source, tuple(LABELED_KINDS))
    kind = LABELED_KINDS[kind_name]
    split, rule = kind.splits[0] if kind.splits else None, config.data.labels
    small, large = (kind.load(folder, split, rule, s) for s in (side, _ENLARGED_SIDE))
    yield (
        FaceImages(small.name, small.images, small.ids),
        FaceImages(large.name, large.images, large.ids),
    )
    for source in config.data.unlabeled:
        yield load_unlabeled(source, side), load_unlabeled(source, _ENLARGED_SIDE)
