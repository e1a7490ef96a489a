"""Tells whether a data set is the one that a run began with.

The number of images is not enough: renamed, replaced or relabeled images are as many. Their bytes
are too much: another processor resizes them otherwise in the last bit.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from fer_live.datatypes import UInt8Array
from training.data.face_pool import give_back
from training.data.labeled_images import FaceImages, LabeledImages

_MOST_LOOKED_AT = 4096
"""Of a data set's images, so that millions on a disk need not be read."""
_ROWS_AT_ONCE = 16
"""A row that is read from a disk brings a megabyte around it into memory."""
_TOLERANCE = 2
"""Gray levels by which the mean of an image may differ."""


class DataIdentity(BaseModel):
    """What a data set is known by.

    Attributes:
        names: 16 hexadecimal digits, other ones for other ids, labels, votes, classes or sizes.
        grays: The mean gray of up to 4,096 images that are spread evenly, a byte each, packed.
    """

    model_config = ConfigDict(frozen=True)

    names: str
    grays: str

    def is_that_of(self, other: "DataIdentity") -> bool:
        """Whether both are of the same images and labels, perhaps read by other processors."""
        if self.names != other.names:
            return False
        ours, theirs = _unpacked(self.grays), _unpacked(other.grays)
        return len(ours) == len(theirs) and bool((np.abs(ours - theirs) <= _TOLERANCE).all())


def identity_of(data: FaceImages | LabeledImages) -> DataIdentity:
    """Look at a data set's ids and labels, and at some of its images."""
    sum_ = hashlib.blake2b(digest_size=8)
    sum_.update(json.dumps([data.images.shape, data.ids.dtype.str]).encode())
    for begin in range(0, len(data.ids), _MOST_LOOKED_AT):
        sum_.update(data.ids[begin : begin + _MOST_LOOKED_AT].tobytes())
    if isinstance(data, LabeledImages):
        sum_.update(json.dumps(data.classes).encode())
        sum_.update(data.labels.tobytes())
        if data.votes is not None:
            sum_.update(data.votes.tobytes())
    return DataIdentity(names=sum_.hexdigest(), grays=_packed(_grays(data.images)))


def identity_of_choice(
    parts: Sequence[DataIdentity], rows: Sequence[NDArray[np.int64]]
) -> DataIdentity:
    """Put together those of several data sets and which of their rows are used."""
    sum_ = hashlib.blake2b(json.dumps([part.names for part in parts]).encode(), digest_size=8)
    for chosen in rows:
        sum_.update(chosen.tobytes())
        sum_.update(b"|")
    grays = np.concatenate([_unpacked(part.grays) for part in parts]).astype(np.uint8)
    return DataIdentity(names=sum_.hexdigest(), grays=_packed(grays))


def _grays(images: UInt8Array) -> NDArray[np.uint8]:
    n = len(images)
    looked_at = np.linspace(0, n - 1, min(n, _MOST_LOOKED_AT)).astype(np.int64)
    grays = np.empty(len(looked_at), dtype=np.uint8)
    for position, row in enumerate(looked_at):
        grays[position] = round(float(images[row].mean()))
        if position % _ROWS_AT_ONCE == 0:
            give_back(images)
    give_back(images)
    return grays


def _packed(grays: NDArray[np.uint8]) -> str:
    return base64.b64encode(zlib.compress(grays.tobytes(), 9)).decode()


def _unpacked(text: str) -> NDArray[np.int64]:
    """Unpack to numbers that can be subtracted; of what is no such text, to none."""
    try:
        content = zlib.decompress(base64.b64decode(text))
    except (ValueError, zlib.error):
        content = b""
    return np.frombuffer(content, np.uint8).astype(np.int64)
