"""Where the video of a recording lies that was made from somebody's file, and that it is the same.

The file is not copied: it may have gigabytes, and stays the person's.
"""

import hashlib
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from fer_live.base.regular_file import open_regular
from fer_live.base.translation import tr
from fer_live.errors import InputError

_EACH_END = 1 << 20


class VideoReference(BaseModel):
    """A file by its path, with its size and a hash of its first and last megabyte."""

    model_config = ConfigDict(frozen=True)

    path: str
    n_bytes: int
    sha256_of_ends: str

    @classmethod
    def of(cls, path: Path) -> "VideoReference":
        """Of a file that is there; raises `OSError`."""
        size, digest = _told(path)
        return cls(path=str(path.absolute()), n_bytes=size, sha256_of_ends=digest)

    def check(self) -> None:
        """Raise `InputError` where the file is gone, or is another one."""
        try:
            told = _told(Path(self.path))
        except OSError:
            raise InputError(
                tr("{path}: the video was moved or deleted; put it back there", path=self.path)
            ) from None
        if told != (self.n_bytes, self.sha256_of_ends):
            raise InputError(
                tr("{path}: another video lies there now; open it anew", path=self.path)
            )


def _told(path: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    with open_regular(path) as file:
        digest.update(file.read(_EACH_END))
        size = os.fstat(file.fileno()).st_size
        file.seek(max(size - _EACH_END, 0))
        digest.update(file.read(_EACH_END))
    return size, digest.hexdigest()
