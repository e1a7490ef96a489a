"""Looks at the list of a video's parts, as HTTP live streaming has it, before FFmpeg opens them."""

import re
from collections.abc import Iterator
from pathlib import Path

from fer_live.base.regular_file import open_regular, read_whole
from fer_live.base.translation import tr
from fer_live.errors import SourceError

PLAYLIST_HEAD = b"#EXTM3U"
_MAX_LISTS = 1000
_URI = re.compile(r'URI="([^"]*)"')
_LOCAL = re.compile(r"(?:file|crypto)[:+]", re.IGNORECASE)
"""What FFmpeg lets stand before the name of a part on this machine."""
_DURATION = re.compile(r"#EXT(?:INF|-X-TARGETDURATION):\s*([0-9.eE+]*)")
_END = "#EXT-X-ENDLIST"
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def refuse_odd_parts(playlist: Path) -> list[Path]:
    """Raise `SourceError` where a list, or one that it lists, names what is there and is no regular
    file: a pipe would be waited for, and a device never ends. Returns these lists."""
    waiting, seen, lists = [playlist], {playlist}, []
    while waiting:
        lists.append(waiting.pop())
        for part in _parts(lists[-1]):
            if not part.exists() or part in seen:
                continue
            if not part.is_file():
                raise SourceError(tr("{path}: is not a regular file; name a file", path=part))
            seen.add(part)
            if _is_playlist(part):
                waiting.append(part)
            if len(waiting) > _MAX_LISTS:
                raise SourceError(tr("{path}: lists too many other lists", path=playlist))
    return lists


def next_part_s(playlist: Path) -> float:
    """Within how many seconds the next part of a list comes, as it says itself, if somebody still
    writes it; 0 where it has an end."""
    text = _text(playlist)
    if _END in text:
        return 0.0
    return max((_seconds(told) for told in _DURATION.findall(text)), default=0.0)


def _seconds(told: str) -> float:
    try:
        return float(told)
    except ValueError:
        return 0.0


def _is_playlist(path: Path) -> bool:
    try:
        with open_regular(path) as file:
            return file.read(len(PLAYLIST_HEAD)) == PLAYLIST_HEAD
    except OSError:
        return False


def _parts(playlist: Path) -> Iterator[Path]:
    """The parts of a list that lie on this machine; FFmpeg refuses to go from a file to others."""
    for line in re.split(r"[\n\r\0]", _text(playlist)):
        for name in _URI.findall(line) if line.startswith("#") else [line.strip()]:
            while found := _LOCAL.match(name):
                name = name[found.end() :]
            if name and not _ELSEWHERE.match(name):
                yield playlist.parent / name


def _text(playlist: Path) -> str:
    try:
        return read_whole(playlist).decode(errors="surrogateescape")
    except OSError as error:
        why = error.strerror or str(error)
        raise SourceError(tr("{path}: cannot be read: {why}", path=playlist, why=why)) from None
