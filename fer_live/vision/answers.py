"""How probabilities are read out of a face: how often, and by which prior."""

from dataclasses import dataclass
from typing import Literal

from fer_live.model.manifest import EVERYDAY

Readings = Literal[1, 2]


@dataclass(frozen=True, slots=True)
class AnswerConfig:
    """`readings` 2: the mean over a face and its mirror image; 1: the face alone. `prior` is the
    name of one of the model's priors."""

    readings: Readings = 2
    prior: str = EVERYDAY


DEFAULT_ANSWERS = AnswerConfig()
"""What `analyze`, `evaluate` and the window do unless told otherwise."""
