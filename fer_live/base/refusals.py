"""The operating system's refusals in a person's words, in the language spoken."""

import errno

from fer_live.base.translation import mark, tr

_WORDS = {
    errno.ENOSPC: mark("the disk is full"),
    errno.EDQUOT: mark("the disk is full"),
    errno.EACCES: mark("no permission to write there"),
    errno.EPERM: mark("no permission to write there"),
    errno.EROFS: mark("the disk can only be read"),
    errno.ENOENT: mark("its folder is gone"),
    errno.EIO: mark("the disk is damaged or was unplugged"),
    errno.ENETUNREACH: mark("the other machine cannot be reached"),
    errno.EHOSTUNREACH: mark("the other machine cannot be reached"),
    errno.ENODEV: mark("the disk is damaged or was unplugged"),
}


def refusal(error: OSError) -> str:
    """Why a file or folder could not be written; what has no words of ours, in the system's."""
    known = _WORDS.get(error.errno or 0)
    return tr(known) if known else error.strerror or str(error)
