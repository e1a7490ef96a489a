"""The settings of an augmentation: the tables [weak] and [strong] of a training config."""

from typing import Literal

from pydantic import Field

from training.section import Section


class AugmentationConfig(Section):
    """What an augmentation does to an image, by chance; 0 switches a part off."""

    flip: float = Field(0.5, ge=0, le=1, description="probability of a mirror image")
    affine: float = Field(
        0.8, ge=0, le=1, description="probability of roll, shift, size and shear; others: untouched"
    )
    rotate_degrees: float = Field(12.0, ge=0, le=90, description="largest roll either way")
    translate: float = Field(0.08, ge=0, le=0.5, description="largest shift, share of the side")
    scale: float = Field(0.12, ge=0, lt=1, description="largest change of size, share")
    shear_degrees: float = Field(0.0, ge=0, le=45, description="largest shear either way")
    perspective: float = Field(
        0.0,
        ge=0,
        le=1,
        description="probability that one edge is up to a quarter nearer than the opposite one",
    )
    brightness: float = Field(0.0, ge=0, lt=1, description="largest change of brightness, share")
    contrast: float = Field(0.0, ge=0, lt=1, description="largest change of contrast, share")
    gamma: float = Field(
        0.0, ge=0, le=4, description="gamma is between 1 / (1 + this) and 1 + this"
    )
    tone: float = Field(0.0, ge=0, le=1, description="probability of a random rising tone curve")
    equalize: float = Field(0.0, ge=0, le=1, description="probability of an even histogram")
    posterize: float = Field(0.0, ge=0, le=1, description="probability of 8 to 16 grays alone")
    sharpness: float = Field(
        0.0, ge=0, le=1, description="probability of another sharpness, softer or up to threefold"
    )
    shadow: float = Field(
        0.0, ge=0, le=1, description="probability of a soft shadow over one side of any slant"
    )
    side_light: float = Field(
        0.0, ge=0, lt=1, description="largest change of light from one edge to the other, share"
    )
    cover: float = Field(
        0.0, ge=0, le=1, description="probability that a band covers the eyes or the mouth"
    )
    blur: float = Field(0.0, ge=0, le=1, description="probability of a Gaussian blur")
    motion: float = Field(
        0.0, ge=0, le=1, description="probability of a motion blur of 3 to 7 pixels"
    )
    downscale: float = Field(
        0.0,
        ge=0,
        le=1,
        description="probability of losing half or two thirds of the pixels per side",
    )
    noise: float = Field(
        0.0, ge=0, le=1, description="noise of half of the images, standard deviation, share"
    )
    jpeg: float = Field(
        0.0, ge=0, le=1, description="probability of JPEG artefacts, quality 10 to 60"
    )
    erase: float = Field(0.0, ge=0, le=1, description="probability of erasing each rectangle")
    erase_boxes: int = Field(1, ge=1, le=4, description="how many rectangles")
    erase_fill: Literal["gray", "noise", "face"] = Field(
        "gray",
        description="what is put in their place; noise: as dark and rough as the face; face: what "
        "another image of the batch shows there",
    )
    erase_largest: float = Field(
        0.2, gt=0.02, le=1, description="largest share of the area that is erased"
    )


def strong_augmentation() -> AugmentationConfig:
    """Give the default strong augmentation: what model.standardize does not undo.

    The settings are those of the grid "claim".
    """
    return AugmentationConfig(
        affine=0.9,
        rotate_degrees=15.0,
        translate=0.1,
        scale=0.15,
        perspective=0.15,
        tone=0.5,
        equalize=0.1,
        posterize=0.1,
        sharpness=0.25,
        shadow=0.25,
        blur=0.15,
        erase=0.5,
        erase_boxes=2,
        erase_fill="noise",
        erase_largest=0.15,
    )
