"""The training configuration: one TOML file, every field with its meaning, unit and default.

`fer-train config` prints it; the ready files in training/configs/ are made the same way.
"""

import tomllib
from pathlib import Path
from typing import Any, Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fer_live.errors import InputError


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataConfig(_Section):
    source: str = Field(
        "fer2013:data/fer2013",
        description="data set as KIND:FOLDER, relative to the current folder; fer2013 holds "
        "fer2013.csv or fer2013.csv.gz, and fer2013new.csv for the FERPlus labels",
    )
    labels: Literal["ferplus-argmax", "ferplus-majority", "fer2013"] = Field(
        "ferplus-argmax", description="which images are used and what their class is"
    )
    targets: Literal["votes", "hard"] = Field(
        "hard",
        description="votes: train on the raters' distribution (FERPlus only); hard: on the class",
    )


class ModelConfig(_Section):
    width: int = Field(
        32, ge=8, le=256, description="channels of the first stage; the others have 2, 4, 8 times"
    )
    input_side: int = Field(
        48, ge=48, le=256, multiple_of=8, description="side of the square gray input, pixels"
    )
    dropout: float = Field(
        0.2, ge=0, lt=1, description="share of features dropped before the classifier"
    )


class ScheduleConfig(_Section):
    epochs: int = Field(28, ge=1, description="passes over the labeled images")
    batch_size: int = Field(128, ge=2, description="labeled images a step")
    learning_rate: float = Field(0.1, gt=0, description="peak of the cosine schedule")
    warmup_epochs: float = Field(1.0, ge=0, description="linear warm-up, epochs")
    momentum: float = Field(0.9, ge=0, lt=1, description="Nesterov momentum of SGD")
    weight_decay: float = Field(5e-4, ge=0, description="L2 factor on all convolution weights")
    ema_decay: float = Field(
        0.999, ge=0, lt=1, description="teacher = decay * teacher + (1 - decay) * student, a step"
    )


class AugmentationConfig(_Section):
    """Weak augmentation of labeled images."""

    flip: float = Field(0.5, ge=0, le=1, description="probability of a mirror image")
    rotate_degrees: float = Field(12.0, ge=0, le=90, description="largest roll either way")
    translate: float = Field(0.08, ge=0, le=0.5, description="largest shift, share of the side")
    scale: float = Field(0.12, ge=0, lt=1, description="largest change of size, share")
    brightness: float = Field(0.2, ge=0, lt=1, description="largest change of brightness, share")
    contrast: float = Field(0.2, ge=0, lt=1, description="largest change of contrast, share")
    erase: float = Field(0.4, ge=0, le=1, description="probability of erasing one rectangle")


class RunConfig(_Section):
    seed: int = Field(0, ge=0, description="of weights, order, augmentation and dropout")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: cuda where present")
    precision: Literal["bf16", "fp32"] = Field("bf16", description="bf16: autocast; fp32: plain")
    method: Literal["supervised"] = Field("supervised", description="objective, see methods/")
    checkpoint_every_s: float = Field(
        60.0, gt=0, description="seconds between resumable checkpoints, beside one an epoch"
    )


class TrainConfig(_Section):
    """The whole file; each section is a table of it."""

    run: RunConfig = Field(default_factory=RunConfig)
    data: DataConfig = Field(default_factory=DataConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    schedule: ScheduleConfig = Field(default_factory=ScheduleConfig)
    augmentation: AugmentationConfig = Field(default_factory=AugmentationConfig)


def load_config(path: Path) -> TrainConfig:
    """Read and check a TOML file, or raise `InputError` that names the file and the first fault."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot read the config: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a TOML file: {error}") from None
    try:
        return TrainConfig.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{path}: {field}: {first['msg']}, got {first['input']!r}; "
            "`fer-train config` prints every field"
        ) from None


def config_to_toml(config: TrainConfig) -> str:
    """The config as TOML, each field under a comment with its meaning and default."""
    document = tomlkit.document()
    document.add(tomlkit.comment("FER Live training. Every field may be left out."))
    for section_name in TrainConfig.model_fields:
        section: _Section = getattr(config, section_name)
        table = tomlkit.table()
        for name, field in type(section).model_fields.items():
            table.add(tomlkit.comment(f"{field.description} (default: {_toml(field.default)})"))
            table.add(name, getattr(section, name))
        document.add(section_name, table)
    return tomlkit.dumps(document)


def _toml(value: Any) -> str:
    return str(tomlkit.item(value).as_string())
