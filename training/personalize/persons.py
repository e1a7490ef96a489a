"""Simulated persons: images of a data set under one look each, the same for all of a person's.

Nobody's labeled clips can be committed. So a person is a set of disjoint images, seen as one webcam
in one room would see them: light from a side, contrast, focus, what covers the face, how the head
is held. A shift of everything a person shows is what retraining has to find its way through.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.errors import DataError
from fer_live.model.manifest import CropGeometry
from training.data.labeled_images import LabeledImages

_CROP = CropGeometry()
_WARP_POINTS = 6
"""Across a face: about the distance between an eye and its brow."""
_EYES_Y = _CROP.center_y - _CROP.eye_mouth_distance / 2


@dataclass(frozen=True, slots=True)
class Look:
    """How one person always looks. The neutral value of each field changes nothing.

    `dark_side` is what is left of the light at the darker edge, which lies `dark_angle` degrees
    around from the right; `gamma` above 1 darkens; `contrast` is around the image's mean; `blur` is
    a Gaussian's standard deviation in shares of the side; `glasses` is the height of a dark frame
    before the eyes in shares of the side, of which `glasses_gray` is the gray level; `scale`,
    `roll_degrees` and `shift_y` (shares of the side) are how the crop lies. `warp` moves what a
    face is made of, smoothly and in each image alike, by that deviation in shares of the side:
    brows that are always low, corners of the mouth that hang. `warp_seed` says which way.
    """

    name: str
    dark_side: float = 1.0
    dark_angle: float = 0.0
    gamma: float = 1.0
    contrast: float = 1.0
    blur: float = 0.0
    glasses: float = 0.0
    glasses_gray: int = 30
    scale: float = 1.0
    roll_degrees: float = 0.0
    shift_y: float = 0.0
    warp: float = 0.0
    warp_seed: int = 0

    def apply(self, faces: UInt8Array) -> UInt8Array:
        """Show faces (N, S, S) uint8 as this person looks."""
        return np.array([self._one(face) for face in faces], dtype=np.uint8).reshape(faces.shape)

    def _one(self, face: UInt8Array) -> UInt8Array:
        side = len(face)
        middle = (_CROP.center_x * side, _CROP.center_y * side)
        matrix = cv2.getRotationMatrix2D(middle, self.roll_degrees, self.scale)
        matrix[1, 2] += self.shift_y * side
        warped = cv2.warpAffine(
            face, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        if self.warp:
            warped = cv2.remap(
                warped, *self._moved(side), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        image: FloatArray = warped.astype(np.float32)
        if self.glasses:
            center_y = _EYES_Y * side
            half = self.glasses * side / 2
            line = max(round(side / 24), 1)
            for sign in (-1, 1):
                center_x = (_CROP.center_x + sign * _CROP.eye_distance / 2) * side
                corners = [
                    (round(center_x - half * 1.3), round(center_y - half)),
                    (round(center_x + half * 1.3), round(center_y + half)),
                ]
                cv2.rectangle(image, corners[0], corners[1], self.glasses_gray, line)
        if self.blur:
            blurred = cv2.GaussianBlur(
                image, (0, 0), self.blur * side, borderType=cv2.BORDER_REPLICATE
            )
            image = np.asarray(blurred, dtype=np.float32)
        mean = float(image.mean())
        image = np.clip(mean + (image - mean) * self.contrast, 0, 255)
        angle = np.deg2rad(self.dark_angle)
        place = np.linspace(-1, 1, side)
        along = (place[None] * np.cos(angle) - place[:, None] * np.sin(angle) + 1) / 2
        light = 1 + (self.dark_side - 1) * np.clip(along, 0, 1)
        image = image * light.astype(np.float32)
        darkened = 255 * (image / 255) ** self.gamma
        return np.asarray(np.clip(np.rint(darkened), 0, 255), dtype=np.uint8)

    def _moved(self, side: int) -> tuple[FloatArray, FloatArray]:
        """From where each pixel of a warped face is read: x and y, (side, side) float32."""
        generator = np.random.default_rng(self.warp_seed)
        coarse = generator.normal(0, self.warp * side, (2, _WARP_POINTS, _WARP_POINTS))
        moved = [
            cv2.resize(field.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
            for field in coarse
        ]
        y, x = np.mgrid[:side, :side].astype(np.float32)
        return x + moved[0], y + moved[1]


LOOKS = (
    Look("window", dark_side=0.03, dark_angle=20, gamma=2.0, blur=0.025),
    Look("glasses", glasses=0.24, glasses_gray=20, roll_degrees=14, contrast=0.5, scale=1.12),
    Look("low camera", scale=0.76, shift_y=-0.07, roll_degrees=-8, blur=0.025, contrast=0.5),
)


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedPerson:
    """The disjoint images of a simulated person: few labeled, more unlabeled, and tested ones."""

    look: Look
    labeled: LabeledImages
    unlabeled: LabeledImages
    tested: LabeledImages


def make_persons(
    data: LabeledImages,
    *,
    labeled_a_class: int = 3,
    n_unlabeled: int = 400,
    n_tested: int = 500,
    seed: int = 0,
    looks: tuple[Look, ...] = LOOKS,
) -> tuple[list[SimulatedPerson], LabeledImages]:
    """Make persons out of `data`'s images; returns them and the images used nowhere, as they are.

    The labels of `unlabeled` are only for figures. Images that occur twice stay together.
    `DataError` where there are too few images for each person to have some of every kind.
    """
    _, groups = np.unique(data.images.reshape(len(data), -1), axis=0, return_inverse=True)
    order = np.random.default_rng(seed).permutation(groups.max() + 1)[groups.ravel()]
    left = np.argsort(order, kind="stable")
    persons = []
    for look in looks:
        labeled = np.concatenate(
            [left[data.labels[left] == label][:labeled_a_class] for label in np.unique(data.labels)]
        )
        left = left[~np.isin(left, labeled)]
        parts = np.split(left[: n_unlabeled + n_tested], [n_unlabeled])
        left = left[n_unlabeled + n_tested :]
        taken = [_as_looked(data, rows, look) for rows in (labeled, *parts)]
        persons.append(SimulatedPerson(look, *taken))
    if not len(left) or not all(len(p.unlabeled) and len(p.tested) for p in persons):
        n_labeled = sum(len(person.labeled) for person in persons)
        wanted = len(looks) * (n_unlabeled + n_tested) + n_labeled
        raise DataError(
            f"{data.name}: {len(data)} images are too few to make {len(looks)} simulated persons "
            f"of; take a data set of about {wanted + n_tested}"
        )
    return persons, data.where(_mask(left, len(data)))


def _as_looked(data: LabeledImages, rows: NDArray[np.int64], look: Look) -> LabeledImages:
    part = data.where(_mask(rows, len(data)))
    return part.with_images(look.apply(part.images))


def _mask(rows: NDArray[np.int64], n: int) -> NDArray[np.bool_]:
    mask = np.zeros(n, dtype=np.bool_)
    mask[rows] = True
    return mask
