"""The training configuration: one TOML file, every field with its meaning, unit and default.

`fer-train config` prints it; the ready files in training/configs/ are made the same way.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import tomlkit
import tomlkit.items
from pydantic import Field, SerializeAsAny, ValidationError, model_validator

from fer_live.base.parse import parse_toml
from fer_live.base.regular_file import read_text
from fer_live.errors import InputError
from training.augment_config import AugmentationConfig, strong_augmentation
from training.methods import METHODS
from training.models.config import ModelConfig
from training.section import Section, first_fault


class DataConfig(Section):
    """Which images a run trains on, which of them keep their labels, and what it is measured on."""

    source: str = Field(
        "fer2013:data/fer2013",
        description="labeled data set as KIND:FOLDER, relative to the current folder; KIND is "
        "fer2013, raf-db, affectnet or folder (one folder per class)",
    )
    labels: Literal["ferplus-argmax", "ferplus-majority", "fer2013"] = Field(
        "ferplus-argmax", description="fer2013: which images are used and what their class is"
    )
    targets: Literal["votes", "hard"] = Field(
        "hard",
        description="votes: train on the raters' distribution (FERPlus only); hard: on the class",
    )
    labeled_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="share of each class that keeps its labels; the rest of the training images is "
        "unlabeled. Drawn by run.seed, equal images on one side",
    )
    labeled_per_class: dict[str, int] = Field(
        {}, description="images of each class that keep their labels, instead of a share"
    )
    labeled_list: str = Field(
        "", description="a split.json that names the images that keep their labels, instead of both"
    )
    heldout_share: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of the labeled images whose labels carry no gradient: they are trained "
        "on as unlabeled ones, and tell how often predictions are right",
    )
    heldout_most: int = Field(
        0, ge=0, description="hold out about so many of them at most; 0: no limit"
    )
    heldout_list: str = Field(
        "", description="a split.json that names the images to hold out, instead of both"
    )
    withheld_list: str = Field(
        "",
        description="a split.json of training images that are withheld from training, labeled or "
        "not",
    )
    measure_withheld: bool = Field(
        True, description="measure on the withheld images at the end; false: settings are chosen"
    )
    unlabeled: tuple[str, ...] = Field(
        (),
        description="more unlabeled images: any data set, images:FOLDER of face crops, "
        "photos:FOLDER or clips:FOLDER, in which the app's detector finds the faces",
    )
    evaluation: str = Field(
        "",
        description="data set measured after each pass (in long runs after every few), never "
        "trained on; empty: the evaluation part of data.source, where it has one",
    )
    also_evaluate: tuple[str, ...] = Field(
        (), description="more data sets that are measured at the end, never trained on"
    )
    evaluation_only: str = Field("", description="a split.json: measure only these images")
    evaluation_without: str = Field("", description="a split.json: measure all but these images")


class AnnotationsConfig(Section):
    """What is known of faces beside their labels, in files that fer-train makes from this config.

    Faces without an annotation go on without it.
    """

    crops: str = Field(
        "", description="file of `fer-train annotate crops`: faces as the app would cut them"
    )
    crops_share: float = Field(
        0.5, ge=0, le=1, description="how often such a crop takes the place of the data set's own"
    )
    landmarks: str = Field(
        "",
        description="file of `fer-train annotate landmarks`, which the network learns as well",
    )
    landmarks_weight: float = Field(0.4, ge=0, description="weight of that term of the loss")
    answers: tuple[str, ...] = Field(
        (), description="files of `fer-train annotate answers`, one a teacher; their mean counts"
    )
    answers_weight: float = Field(
        0.7, ge=0, le=1, description="share of the answers in the targets of labeled images"
    )


class ScheduleConfig(Section):
    """How long a run is, what is in a batch, and how the loss is descended.

    A pass is as many steps as it takes the unlabeled batches to go through all training images,
    labeled and unlabeled; without unlabeled batches, as it takes the labeled ones.
    """

    start_from: str = Field(
        "", description="checkpoint or run folder whose weights training starts from"
    )
    passes: int = Field(28, ge=1, le=1_000_000, description="passes over the training images")
    steps: int = Field(
        0, ge=0, description="steps in all, instead of passes: the same for every labeled share"
    )
    batch_size: int = Field(128, ge=2, le=65_536, description="labeled images per step")
    unlabeled_batch_size: int = Field(
        0,
        ge=0,
        le=65_536,
        description="unlabeled images per step; the supervised method takes as many more labeled "
        "ones instead, strongly augmented",
    )
    heldout_batch_size: int = Field(
        8, ge=1, le=65_536, description="labeled images without gradient that a step looks at"
    )
    heldout_until: float = Field(
        1.0,
        ge=0,
        le=1,
        description="share of the steps after which the labels held out carry a gradient as well, "
        "and what they told stays as it is",
    )
    strong_labeled: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of the labeled images that get the strong augmentation, not the weak",
    )
    balance: float = Field(
        0.0,
        ge=0,
        le=1,
        description="sampling of labeled images: 0: as they come; 1: every class equally often; "
        "between: by class size to the power of 1 - balance",
    )
    logit_adjustment: float = Field(
        0.0,
        ge=0,
        le=2,
        description="rare classes are answered more often: times the log of a class's share among "
        "the labeled images, added to their logits in the loss; 1: as if all were equally frequent",
    )
    optimizer: Literal["sgd", "adamw", "muon"] = Field(
        "sgd",
        description="sgd: with Nesterov momentum; adamw: with decoupled weight decay; muon: the "
        "convolutions by orthogonalised momentum, the rest by adamw",
    )
    muon_every: int = Field(
        1, ge=1, le=8, description="muon moves the convolutions at every so many steps, as far"
    )
    learning_rate: float = Field(0.1, gt=0, description="peak of the schedule")
    shape: Literal["cosine", "trapezoid"] = Field(
        "cosine",
        description="of the learning rate after the warm-up; trapezoid: constant, then linearly to "
        "zero; such a run can be made longer afterwards (fit --resume --set schedule.passes=N)",
    )
    cooldown: float = Field(
        0.3, gt=0, le=1, description="trapezoid: share of all steps in which the rate falls"
    )
    warmup: float = Field(0.04, ge=0, lt=1, description="linear warm-up, share of all steps")
    momentum: float = Field(0.9, ge=0, lt=1, description="Nesterov momentum of sgd")
    weight_decay: float = Field(
        5e-4,
        ge=0,
        description="on all weights but biases and norms; adamw and muon want about 0.05",
    )
    ema_decay: float = Field(
        0.999, ge=0, lt=1, description="teacher = decay * teacher + (1 - decay) * student, per step"
    )
    norms_at_end: float = Field(
        0.0,
        ge=0,
        le=1,
        description="how far the averaged network's batch statistics are moved at the end to those "
        "of labeled images without augmentation",
    )
    logs_per_pass: int = Field(1, ge=1, description="lines of log.jsonl per pass")


class RunConfig(Section):
    """What computes a run, and by which method."""

    seed: int = Field(
        0, ge=0, le=2**32 - 1, description="seed of weights, order, augmentation and dropout"
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: cuda where present")
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto",
        description="of the forward and backward passes; auto: bf16 where the processor computes "
        "in it, else fp32",
    )
    method: str = Field("supervised", description=f"objective, see methods/: {', '.join(METHODS)}")
    tracker: Literal["none", "tensorboard"] = Field(
        "none",
        description="where else the log goes; tensorboard: curves in RUN_DIR/tensorboard",
    )
    checkpoint_every_s: float = Field(
        60.0,
        gt=0,
        description="seconds between resumable checkpoints, beside one after each evaluation",
    )


class TrainConfig(Section):
    """A whole training config; each section is a table of the TOML file."""

    run: RunConfig = Field(default_factory=RunConfig)
    data: DataConfig = Field(default_factory=DataConfig)
    annotations: AnnotationsConfig = Field(default_factory=AnnotationsConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    schedule: ScheduleConfig = Field(default_factory=ScheduleConfig)
    weak: AugmentationConfig = Field(default_factory=AugmentationConfig)
    strong: AugmentationConfig = Field(default_factory=strong_augmentation)
    options: SerializeAsAny[Section] = Field(default_factory=Section)

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_strong(cls, values: Any) -> Any:
        """A table [strong] that names some fields leaves the others as strong as by default."""
        if isinstance(values, dict) and isinstance(values.get("strong"), dict):
            usual = strong_augmentation().model_dump()
            return {**values, "strong": {**usual, **values["strong"]}}
        return values

    @model_validator(mode="before")
    @classmethod
    def _options_of_the_method(cls, values: Any) -> Any:
        """[options] are those of run.method: which fields it has depends on the method."""
        run = values.get("run", {}) if isinstance(values, dict) else {}
        if not isinstance(run, dict | RunConfig):
            return values  # which the fields' own check refuses
        method = run.get("method", "supervised") if isinstance(run, dict) else run.method
        if not isinstance(method, str) or method not in METHODS:
            raise ValueError(f"run.method {method!r} is not one of {', '.join(METHODS)}")
        try:
            options = METHODS[method].Options.model_validate(values.get("options", {}))
        except ValidationError as error:
            raise ValueError(first_fault(error, table="options", of=method)) from None
        return {**values, "options": options}


def load_config(path: Path, changes: Sequence[str] = ()) -> TrainConfig:
    """Read and check a TOML file, or raise `InputError` that names the file and the first fault.

    Args:
        path: The file.
        changes: Fields to set, each as TABLE.FIELD=VALUE, the value as in TOML; quotes around text
            may be left out.
    """
    content = _read_tables(path)
    changed = dict(content)
    for change in changes:
        table, field, value = _parse_change(change)
        if not isinstance(changed.setdefault(table, {}), dict):
            raise InputError(f"{path}: {table} is no table; write [{table}] with its fields below")
        changed[table] = {**changed[table], field: value}
    try:
        return parse_config(changed, str(path))
    except InputError:
        if changes:
            parse_config(content, str(path))  # the fault may be the file's own
            parse_config(changed, " ".join(f"--set {change}" for change in changes))
        raise


def load_former_config(path: Path) -> TrainConfig:
    """Read the config of a run folder, which may be older than some fields."""
    return parse_former_config(_read_tables(path), str(path))


def _read_tables(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(read_text(path))
    except OSError as error:
        raise InputError(f"{path}: cannot read the config: {error.strerror}") from None
    except ValueError as error:  # UnicodeDecodeError is one too
        raise InputError(f"{path}: not a TOML file: {error}") from None


def _parse_change(change: str) -> tuple[str, str, Any]:
    """Split TABLE.FIELD=VALUE into table, field and value; `InputError` where it is none."""
    name, separator, text = change.partition("=")
    table, dot, field = name.strip().partition(".")
    if not (separator and dot and table and field):
        raise InputError(f"--set {change}: write it as TABLE.FIELD=VALUE, as schedule.passes=7")
    try:
        return table, field, parse_toml(f"value = {text}")["value"]
    except ValueError:
        return table, field, text.strip()


_FORMER_DEFAULTS: dict[str, dict[str, Any]] = {
    "model": {"attention_form": "gate"},
    "weak": {"affine": 1.0},
    "strong": {
        "affine": 1.0,
        "perspective": 0.0,
        "tone": 0.0,
        "equalize": 0.0,
        "posterize": 0.0,
        "sharpness": 0.0,
        "shadow": 0.0,
        "erase_boxes": 1,
        "erase_fill": "gray",
    },
}
"""What a result did that is older than one of these fields."""


def parse_former_config(content: dict[str, Any], where: str) -> TrainConfig:
    """Check the config that a result tells, which may be older than some fields."""
    if not isinstance(content, dict):
        raise InputError(f"{where}: not a result: its config is no table; delete it")
    tables = {
        table: {**_FORMER_DEFAULTS.get(table, {}), **fields} if isinstance(fields, dict) else fields
        for table, fields in content.items()
    }
    return parse_config(tables, where)


def parse_config(content: dict[str, Any], where: str) -> TrainConfig:
    """Check the tables of a config, or raise `InputError` that begins with `where`."""
    try:
        return TrainConfig.model_validate(content)
    except ValidationError as error:
        hint = "`fer-train config` prints every field"
        raise InputError(f"{where}: {first_fault(error)}; {hint}") from None


def differing_fields(one: TrainConfig, other: TrainConfig) -> list[str]:
    """List the fields, as TABLE.FIELD, in which two configs differ."""
    if one.run.method != other.run.method:
        return ["run.method"]  # whose options differ for that alone
    a, b = (fields_by_name(config.model_dump(mode="json")) for config in (one, other))
    return [name for name, value in a.items() if value != b.get(name)]


def fields_by_name(tables: Any) -> dict[str, Any]:
    """Give the fields of a config's tables by TABLE.FIELD; none where a file holds no tables."""
    return {
        f"{table}.{field}": value
        for table, fields in (tables.items() if isinstance(tables, dict) else ())
        if isinstance(fields, dict)
        for field, value in fields.items()
    }


def config_to_toml(config: TrainConfig) -> str:
    """Write the config as TOML, each field under a comment with its meaning and default."""
    document = tomlkit.document()
    document.add(tomlkit.comment("FER Live training. Every field may be left out."))
    for section_name, section_field in TrainConfig.model_fields.items():
        section: Section = getattr(config, section_name)
        usual = section_field.get_default(call_default_factory=True)
        if type(usual) is not type(section):  # [options] has the fields of the method
            usual = type(section)()
        table = tomlkit.table()
        for name, field in type(section).model_fields.items():
            default = _toml(getattr(usual, name))
            table.add(tomlkit.comment(f"{field.description} (default: {default.as_string()})"))
            table.add(name, _toml(getattr(section, name)))
        if type(section).model_fields:
            document.add(section_name, table)
    return tomlkit.dumps(document)


def _toml(value: Any) -> tomlkit.items.Item:
    if isinstance(value, dict):
        table = tomlkit.inline_table()
        table.update(value)
        return table
    item: tomlkit.items.Item = tomlkit.item(list(value) if isinstance(value, tuple) else value)
    return item
