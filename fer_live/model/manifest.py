"""The manifest: what a model file says about itself, and all that the app knows of it.

It travels as one JSON value, in an ONNX file under ``metadata_props["fer_live"]`` and in a
checkpoint (safetensors) under the header key of the same name. Nothing is read from file names.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fer_live.base.translation import mark
from fer_live.errors import ModelError

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


class Manifest(BaseModel):
    """What a model reads, what it answers, and where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    labels: tuple[str, ...] = Field(min_length=2, description="output order of `probs`")
    input_side: int = Field(ge=16, le=512, description="side of the square gray input, pixels")
    crop: CropGeometry
    temperature: float = Field(1.0, gt=0, description="softmax(logits / temperature)")
    architecture: dict[str, Any] = Field(
        default_factory=dict, description="what rebuilds the network of a checkpoint"
    )
    training: dict[str, Any] = Field(default_factory=dict, description="data, method, seed")
    metrics: dict[str, Any] = Field(default_factory=dict, description="measured figures")
    card: str = Field(
        "", description="the model card, Markdown: use, what it is not for, data, figures, failures"
    )

    @model_validator(mode="after")
    def _labels_are_distinct(self) -> "Manifest":
        if len(set(self.labels)) != len(self.labels) or "" in self.labels:
            raise ValueError(f"labels must be distinct and not empty, got {list(self.labels)}")
        return self

    def to_json(self) -> str:
        """The JSON value that model files carry."""
        return self.model_dump_json(by_alias=True)


def parse_manifest(text: str | None, where: str) -> Manifest:
    """Read a manifest, or raise `ModelError` that names `where` and the first fault."""
    if text is None:
        raise ModelError(
            f"{where}: no FER Live manifest inside; use a model written by fer-export or fer-train"
        )
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "manifest"
        raise ModelError(
            f"{where}: unusable manifest, {field}: {first['msg']}; export the model again"
        ) from None
