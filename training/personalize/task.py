"""What a retraining is asked for, and what it starts from: the input of its four stages."""

from dataclasses import dataclass
from pathlib import Path

from fer_live.model.manifest import Manifest
from training.config import TrainConfig
from training.models.resnet import ExpressionNet
from training.personalize.collect import TrackChoice


@dataclass(frozen=True, slots=True)
class PersonalizeOptions:
    """The arguments of `fer-train personalize`, as they were given.

    `start` None means the shipped checkpoint, `config` None means configs/personal.toml. `tracks`
    are the values of --track.
    """

    clips: tuple[Path, ...]
    labeled: Path | None
    start: Path | None
    out: Path
    tracks: tuple[str, ...] = ()
    config: TrainConfig | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A retraining whose arguments were checked, with the model that it starts from.

    `network` and `manifest` are those of the checkpoint `start`; `starts_from_shipped` says that
    nobody named it.
    """

    clips: tuple[Path, ...]
    labeled: Path | None
    out: Path
    config: TrainConfig
    choice: TrackChoice
    start: Path
    starts_from_shipped: bool
    network: ExpressionNet
    manifest: Manifest
