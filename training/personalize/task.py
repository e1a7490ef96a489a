"""What a retraining is asked for, and what it starts from: the input of its stages."""

from dataclasses import dataclass
from pathlib import Path

from fer_live.model.manifest import Manifest
from fer_live.personal.calibration import CalibrationStart
from fer_live.personal.clips import ME
from fer_live.personal.personalize import Wishes
from training.config import TrainConfig
from training.models.resnet import ExpressionNet

DEFAULT_MINUTES = 5.0


@dataclass(frozen=True, slots=True)
class PersonalizeOptions:
    """The arguments of `fer-train personalize`, as they were given.

    `start` None means the shipped checkpoint, `config` None means configs/personal.toml. `tracks`
    are the values of --track. `minutes` is the longest time that gradient steps may take; 0 leaves
    them out. `person` is whose faces these are: by that the model is found when they are forgotten.
    """

    clips: tuple[Path, ...]
    labeled: Path | None
    start: Path | None
    out: Path
    tracks: tuple[str, ...] = ()
    config: TrainConfig | None = None
    minutes: float = DEFAULT_MINUTES
    person: str = ME


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A retraining whose arguments were checked, with the model that it starts from.

    `network` and `manifest` are those of the checkpoint `start`, which `reader` opens for the
    closed form; `variants` is the folder that has the same model as ONNX files, None where there is
    none.
    """

    wishes: Wishes
    out: Path
    config: TrainConfig
    minutes: float
    start: Path
    starts_from_shipped: bool
    network: ExpressionNet
    manifest: Manifest
    reader: CalibrationStart
    variants: Path | None
