"""Tells whether a data set is the one that a run began with.

The number of images is not enough: renamed, replaced or relabeled images are as many.
"""

import hashlib
import json

import numpy as np
from numpy.typing import NDArray

from training.data.face_pool import give_back
from training.data.labeled_images import FaceImages, LabeledImages

_MOST_LOOKED_AT = 4096
"""Of a data set's images, so that millions on a disk need not be read."""
_ROWS_AT_ONCE = 16
"""A row that is read from a disk brings a megabyte around it into memory."""


def digest_of(data: FaceImages | LabeledImages) -> str:
    """Compute 16 hexadecimal digits, other ones for other images, ids, labels or classes.

    Of more than 4,096 images the ids and labels of all count, and the pixels of 4,096 that are
    spread evenly.
    """
    sum_ = hashlib.blake2b(digest_size=8)
    sum_.update(json.dumps([data.images.shape, data.ids.dtype.str]).encode())
    for begin in range(0, len(data.ids), _MOST_LOOKED_AT):
        sum_.update(data.ids[begin : begin + _MOST_LOOKED_AT].tobytes())
    if isinstance(data, LabeledImages):
        sum_.update(json.dumps(data.classes).encode())
        sum_.update(data.labels.tobytes())
        if data.votes is not None:
            sum_.update(data.votes.tobytes())
    n = len(data.images)
    looked_at = np.linspace(0, n - 1, min(n, _MOST_LOOKED_AT)).astype(np.int64)
    for position, row in enumerate(looked_at):
        sum_.update(data.images[row].tobytes())
        if position % _ROWS_AT_ONCE == 0:
            give_back(data.images)
    give_back(data.images)
    return sum_.hexdigest()


def digest_of_choice(digests: list[str], *rows: NDArray[np.int64]) -> str:
    """Compute 16 hexadecimal digits of data sets, by their digests, and of the rows (K,) chosen."""
    sum_ = hashlib.blake2b(json.dumps(digests).encode(), digest_size=8)
    for chosen in rows:
        sum_.update(chosen.tobytes())
        sum_.update(b"|")
    return sum_.hexdigest()
