"""The manifest: what a model file says about itself, and all that the app knows of it.

It travels as one JSON value, in an ONNX file under ``metadata_props["fer_live"]`` and in a
checkpoint (safetensors) under the header key of the same name. Nothing is read from file names.
"""

import unicodedata
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fer_live.base.folder_name import is_device
from fer_live.base.translation import mark
from fer_live.datatypes import FloatArray
from fer_live.errors import ModelError

EVERYDAY = "everyday"
"""The prior of the training data, in which most faces are neutral or happy; every model has it."""

_LEAST = 1e-30

MANIFEST_KEY = "fer_live"

EXPRESSIONS = (
    mark("neutral"),
    mark("happiness"),
    mark("surprise"),
    mark("sadness"),
    mark("anger"),
    mark("disgust"),
    mark("fear"),
    mark("contempt"),
)
"""FERPlus's eight expressions, in the output order of our models."""


_Value = Annotated[float, Field(ge=-1e4, le=1e4)]
"""Of an embedding, whose own are below 1. What is larger would end in no number after a sum."""
_Scale = Annotated[float, Field(ge=0, le=1e4)]
_Share = Annotated[float, Field(ge=0, le=1)]
MAX_BIAS = 100.0
LEAST_TEMPERATURE, MOST_TEMPERATURE = 1e-3, 1e3
_Bias = Annotated[float, Field(ge=-MAX_BIAS, le=MAX_BIAS)]
"""On a logarithm: 100 makes certain what is impossible."""
_Temperature = Annotated[float, Field(ge=LEAST_TEMPERATURE, le=MOST_TEMPERATURE)]

_MAX_TEXT = 16 << 20
"""Letters. The shipped one has a thirtieth of it."""
_MAX_LABELS = 256
_MAX_LABEL = 60


LABEL_RULE = (
    f"letters, digits, blanks and dashes, {_MAX_LABEL} in all, a letter or digit first and last"
)


def is_label(text: str) -> bool:
    """Whether it can be the name of a folder and of a column, and a line in the window: a label
    comes from a stranger's file, and the takes of it are kept in a folder of that name."""
    inside = (unicodedata.category(sign)[0] in "LMN" or sign in " _-.'()" for sign in text)
    ends = (text[:1], text[-1:])
    return (
        len(text) <= _MAX_LABEL
        and not is_device(text)
        and all(inside)
        and all(
            sign.isalnum() or sign == ")" or unicodedata.category(sign)[0] == "M" for sign in ends
        )
    )


class CropGeometry(BaseModel):
    """Where eyes and mouth fall in a crop, in fractions of its side from its left and top.

    The defaults are measured: medians over the FER2013 Training images in which MediaPipe's
    short-range detector finds a face (``fer-train framing`` measures them again), so that a live
    face falls where the training faces are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    eye_distance: float = Field(0.363, gt=0, lt=1, description="distance between the eyes")
    eye_mouth_distance: float = Field(
        0.390, gt=0, lt=1, description="distance from the midpoint of the eyes to the mouth"
    )
    center_x: float = Field(
        0.506, gt=0, lt=1, description="x of the midpoint between the eyes' midpoint and the mouth"
    )
    center_y: float = Field(0.588, gt=0, lt=1, description="y of the same point")
    roll_degrees: float = Field(
        0.0, gt=-45, lt=45, description="how far the line of the eyes falls to the right"
    )


class EmbeddingStatistics(BaseModel):
    """Other people's embeddings in few numbers: what a person's own are compared with.

    Of labeled faces, one expression at a time: their mean, and how embeddings spread around the
    means, as a diagonal plus a few directions (covariance = diag(spread ** 2) + directions^T
    directions). Nobody's face can be made from them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    class_means: tuple[tuple[_Value, ...], ...] = Field(
        description="(C, D), in label order; none for a person's own labels"
    )
    spread: tuple[_Scale, ...] = Field(description="(D,) deviation that the directions leave")
    directions: tuple[tuple[_Value, ...], ...] = Field(
        (), description="(K, D), the strongest first"
    )
    class_scales: tuple[tuple[_Scale, ...], ...] = Field(
        (), description="(C, K), how much more than all a class varies in each direction; () is 1"
    )
    class_shares: tuple[_Share, ...] = Field(description="(C,), of the faces they are made from")
    n: int = Field(ge=1, le=10**9, description="faces they are made from")
    data: str = Field("", description="which faces those were")

    @model_validator(mode="after")
    def _sizes_agree(self) -> "EmbeddingStatistics":
        sizes = {len(self.spread), *map(len, self.class_means), *map(len, self.directions)}
        scales = self.class_scales
        as_declared = len(scales) in (0, len(self.class_means)) and all(
            len(row) == len(self.directions) for row in scales
        )
        if len(sizes) != 1 or len(self.class_shares) != len(self.class_means) or not as_declared:
            raise ValueError(
                f"class_means, spread, directions, class_scales and class_shares disagree in "
                f"size: {sizes}"
            )
        return self


class Manifest(BaseModel):
    """What a model reads, what it answers, and where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    labels: tuple[str, ...] = Field(
        min_length=2, max_length=_MAX_LABELS, description="output order of `probs`"
    )
    own_labels: tuple[str, ...] = Field(
        (), description="the last of `labels`: a person's own expressions, learnt from their takes"
    )
    input_side: int = Field(ge=16, le=512, description="side of the square gray input, pixels")
    crop: CropGeometry
    temperature: _Temperature = Field(1.0, description="softmax(logits / temperature)")
    architecture: dict[str, Any] = Field(
        default_factory=dict, description="what rebuilds the network of a checkpoint"
    )
    training: dict[str, Any] = Field(default_factory=dict, description="data, method, seed")
    metrics: dict[str, Any] = Field(default_factory=dict, description="measured figures")
    priors: dict[str, tuple[_Bias, ...]] = Field(
        default_factory=dict,
        description="name -> what is added to the log-probabilities of each label; none of them: "
        "the model's own answers, called everyday",
    )
    prior_temperatures: dict[str, _Temperature] = Field(
        default_factory=dict,
        description="name -> by what log-probabilities are divided before, 1 where it is missing",
    )
    embedding: EmbeddingStatistics | None = Field(
        None, description="other people's embeddings; None: the model is not for calibration"
    )
    card: str = Field(
        "", description="the model card, Markdown: use, what it is not for, data, figures, failures"
    )

    @model_validator(mode="after")
    def _labels_are_distinct(self) -> "Manifest":
        if len(set(self.labels)) != len(self.labels) or "" in self.labels:
            raise ValueError(f"labels must be distinct and not empty, got {list(self.labels)}")
        for label in self.labels:
            if not is_label(label):
                raise ValueError(f"{label!r} is no label: {LABEL_RULE}")
        n_common = len(self.labels) - len(self.own_labels)
        if self.labels[n_common:] != self.own_labels or n_common < 2:
            raise ValueError(
                f"own_labels must end the labels after two others or more, got "
                f"{list(self.own_labels)} for {list(self.labels)}"
            )
        for name, bias in self.priors.items():
            if len(bias) != n_common:
                raise ValueError(f"prior {name} has {len(bias)} values for {n_common} labels")
        n_means = len(self.embedding.class_means) if self.embedding else n_common
        if n_means != n_common:
            raise ValueError(f"embedding has {n_means} class means for {n_common} labels")
        return self

    @property
    def common_labels(self) -> tuple[str, ...]:
        """The labels without a person's own: the eight, for our models. What is derived from
        probabilities is derived from these alone, renormalized."""
        return self.labels[: len(self.labels) - len(self.own_labels)]

    def without_own_labels(self) -> "Manifest":
        """The manifest of the same model that answers among the common labels."""
        return self.model_copy(update={"labels": self.common_labels, "own_labels": ()})

    @property
    def prior_names(self) -> tuple[str, ...]:
        """What `with_prior` takes, "everyday" first."""
        return tuple(dict.fromkeys([EVERYDAY, *self.priors]))

    def with_prior(self, probs: FloatArray, name: str) -> FloatArray:
        """Probabilities (N, C) as they are by another prior; `KeyError` for an unknown one."""
        if name == EVERYDAY and not any(self.priors.get(name, ())):
            return probs
        n_own = len(self.own_labels)  # which a prior says nothing of
        bias = np.pad(np.array(self.priors[name], dtype=np.float64), (0, n_own))
        temperature = self.prior_temperatures.get(name, 1.0)
        logs = np.log(np.maximum(probs.astype(np.float64), _LEAST)) / temperature + bias
        powers = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)

    def to_json(self) -> str:
        """The JSON value that model files carry."""
        return self.model_dump_json(by_alias=True)


def parse_manifest(text: str | None, where: str) -> Manifest:
    """Read a manifest, or raise `ModelError` that names `where` and the first fault."""
    if text is None:
        raise ModelError(
            f"{where}: no FER Live manifest inside; use a model written by fer-export or fer-train"
        )
    if len(text) > _MAX_TEXT:
        raise ModelError(f"{where}: unusable manifest, too long; export the model again")
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "manifest"
        raise ModelError(
            f"{where}: unusable manifest, {field}: {first['msg']}; export the model again"
        ) from None
