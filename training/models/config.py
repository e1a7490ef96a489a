"""The settings that decide which network is built: the table [model] of a training config."""

from pydantic import Field, model_validator

from training.models.resnet import AttentionForm, Stem
from training.section import Section


class ModelConfig(Section):
    """The network: its size, its input, and its local attention."""

    width: int = Field(
        32, ge=8, le=256, description="channels of the first stage; the others have 2, 4, 8 times"
    )
    blocks: int = Field(
        2, ge=1, le=4, description="residual blocks per stage: 2 make a ResNet-18, 1 a ResNet-10"
    )
    input_side: int = Field(
        48, ge=48, le=256, multiple_of=8, description="side of the square gray input, pixels"
    )
    stem: Stem = Field(
        "deep",
        description="how the side is halved at first: deep: two convolutions; unshuffle: 2x2 "
        "pixels as four channels",
    )
    standardize: bool = Field(
        False,
        description="every image to mean 0 and standard deviation 1 first, whatever its light",
    )
    dropout: float = Field(
        0.2, ge=0, lt=1, description="share of features dropped before the classifier"
    )
    attention_branches: int = Field(
        0, ge=0, le=16, description="branches of local attention; 0: no attention"
    )
    attention_stage: int = Field(
        4,
        ge=1,
        le=4,
        description="the stage behind which attention sits; the last two have 6x6 maps",
    )
    attention_form: AttentionForm = Field(
        "softmax",
        description="softmax: weight moved between places, mean 1; gate: F + F * A, which can "
        "close for ever, of the released model",
    )
    feature_map_dropout: float = Field(
        0.0, ge=0, le=1, description="probability that an image loses one attended map in training"
    )

    @model_validator(mode="after")
    def _something_to_drop(self) -> "ModelConfig":
        if self.feature_map_dropout and not self.attention_branches:
            raise ValueError("feature_map_dropout drops attended maps; set attention_branches too")
        return self
