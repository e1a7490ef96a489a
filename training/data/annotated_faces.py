"""Faces on the device, taken by row, with what is stored about them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fer_live.errors import InputError
from training.config import AnnotationsConfig
from training.data.annotations import Annotations, Kind, load_annotations, mean_of
from training.data.face_pool import FacePool


@dataclass(frozen=True, slots=True, eq=False)
class AnnotationFiles:
    """The files of annotations that a config names, None for those that it does not."""

    crops: Annotations | None = None
    crops_share: float = 0.0
    landmarks: Annotations | None = None
    answers: Annotations | None = None

    @property
    def n_landmarks(self) -> int:
        """How many measures a face has, 0 without landmarks."""
        return len(self.landmarks.about.names) if self.landmarks else 0


def load_annotation_files(
    config: AnnotationsConfig, side: int, classes: tuple[str, ...]
) -> AnnotationFiles:
    """Read the files of annotations that a config names; `InputError` where one does not fit."""

    def read(kind: Kind, path: str) -> Annotations | None:
        return load_annotations(Path(path), kind, side) if path else None

    answers = [load_annotations(Path(path), "answers", side) for path in config.answers]
    for path, one in zip(config.answers, answers, strict=True):
        if one.about.names != classes:
            raise InputError(
                f"annotations.answers: {path}: of the labels {', '.join(one.about.names)}, and the "
                f"data has {', '.join(classes)}"
            )
    return AnnotationFiles(
        crops=read("crops", config.crops),
        crops_share=config.crops_share,
        landmarks=read("landmarks", config.landmarks),
        answers=mean_of(answers) if answers else None,
    )


class AnnotatedFaces:
    """N faces of one side, by row, on the device; those in memory as uint8.

    Args:
        pool: The faces. Where some are mapped from disk, each batch is read when it is made.
        files: Annotations of these and of other faces.
        device: Where everything is wanted.
    """

    def __init__(self, pool: FacePool, files: AnnotationFiles, device: torch.device) -> None:
        self._device = device
        self._pool = pool
        self._all = None
        if pool.in_memory:
            self._all = torch.from_numpy(pool.all()).unsqueeze(1).to(device)
        self._crops_share = files.crops_share
        self._crops = self._stored(files.crops)
        self._landmarks = self._stored(files.landmarks)
        self._answers = self._stored(files.answers)

    def __len__(self) -> int:
        return len(self._pool)

    def take(self, rows: Tensor) -> Tensor:
        """Take faces (K, 1, S, S) uint8, some of them, by chance, as the app would cut them."""
        if self._all is None:
            faces = torch.from_numpy(self._pool.take(rows.cpu().numpy())).unsqueeze(1)
            faces = faces.to(self._device)
        else:
            faces = self._all[rows]
        if self._crops is None:
            return faces
        places, crops = self._crops
        found = places[rows]
        drawn = torch.rand(len(rows), device=self._device) < self._crops_share
        chosen = (drawn & (found >= 0))[:, None, None, None]
        return torch.where(chosen, crops[found.clamp_min(0)].unsqueeze(1), faces)

    def landmarks(self, rows: Tensor) -> Tensor | None:
        """Return the measures (K, L) float32 of faces, NaN where there are none."""
        return self._values(self._landmarks, rows)

    def answers(self, rows: Tensor) -> Tensor | None:
        """Return the teachers' probabilities (K, C) float32, NaN where there are none."""
        return self._values(self._answers, rows)

    def n_without_answer(self, begin: int = 0) -> int:
        """How many faces, from row `begin` on, no teacher gave probabilities that are numbers."""
        if self._answers is None:
            return len(self) - begin
        places, values = self._answers
        found, are_numbers = places[begin:], values.isfinite().all(dim=1)
        return int((~((found >= 0) & are_numbers[found.clamp_min(0)])).sum())

    def has(self, kind: Kind) -> bool:
        """Whether some face has an annotation of this kind."""
        stored = {"crops": self._crops, "landmarks": self._landmarks, "answers": self._answers}
        found = stored[kind]
        return found is not None and bool((found[0] >= 0).any())

    def _stored(self, annotations: Annotations | None) -> tuple[Tensor, Tensor] | None:
        """The place (N,) of each face among the values, and the values, on the device."""
        if annotations is None:
            return None
        places = torch.from_numpy(annotations.rows_of(self._pool))
        values = np.ascontiguousarray(annotations.values)
        return places.to(self._device), torch.from_numpy(values).to(self._device)

    def _values(self, stored: tuple[Tensor, Tensor] | None, rows: Tensor) -> Tensor | None:
        if stored is None:
            return None
        places, values = stored
        found = places[rows]
        taken = values[found.clamp_min(0)].float()
        return torch.where((found >= 0)[:, None], taken, torch.nan)
