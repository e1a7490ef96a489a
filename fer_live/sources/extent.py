"""Where a file's own structure says that it ends, which a file that was cut off does not reach.

A container nests elements that each begin with their length. This is no promise about pictures, as
a header's frame count is, but about bytes: a file that is shorter than its elements lost some.
"""

import os
import struct
from typing import BinaryIO

_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_TS_PACKET_BYTES = (188, 192, 204)
_TS_SYNC = 0x47
_MAX_ELEMENTS = 1_000_000


def is_cut(file: BinaryIO) -> bool:
    """Whether bytes are missing at the end of a file of MP4, AVI, Matroska, WebM or MPEG-TS.

    False for every other kind, and where the structure cannot be followed.
    """
    n_bytes = os.fstat(file.fileno()).st_size
    file.seek(0)
    head = file.read(12)
    if head[:4] == b"RIFF" and len(head) == 12:
        return 8 + int.from_bytes(head[4:8], "little") > n_bytes
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return _last_box_end(file, n_bytes) > n_bytes
    if int.from_bytes(head[:4], "big") == _EBML:
        segment_end, _ = matroska_ends(file)
        return segment_end is not None and segment_end > n_bytes
    if head[:1] == bytes([_TS_SYNC]) and n_bytes > _TS_PACKET_BYTES[-1]:
        return _is_transport_stream(file) and all(n_bytes % size for size in _TS_PACKET_BYTES)
    return False


def matroska_ends(file: BinaryIO) -> tuple[int | None, int | None]:
    """Where the segment ends, and where its last cluster does; None for what is not known, as while
    a file is still being written."""
    n_bytes = os.fstat(file.fileno()).st_size
    header = _ebml_element(file, 0)
    if header is None or header[0] != _EBML or header[2] is None:
        return None, None
    segment = _ebml_element(file, header[2])
    if segment is None or segment[0] != _SEGMENT:
        return None, None
    _, position, segment_end = segment
    last_cluster_end = None
    for _ in range(_MAX_ELEMENTS):
        if position >= min(segment_end or n_bytes, n_bytes):
            break
        element = _ebml_element(file, position)
        if element is None or element[2] is None:
            return segment_end, None
        number, _, position = element[0], element[1], element[2]
        if number == _CLUSTER:
            last_cluster_end = position
    return segment_end, last_cluster_end


def _ebml_element(file: BinaryIO, position: int) -> tuple[int, int, int | None] | None:
    """Its number, where its content begins, and where it ends (None: not told); None for no
    element."""
    file.seek(position)
    head = file.read(12)
    if not head or not head[0]:
        return None
    n_number = 9 - head[0].bit_length()
    rest = head[n_number:]
    if n_number > 4 or not rest or not rest[0]:
        return None
    n_length = 9 - rest[0].bit_length()
    if len(rest) < n_length:
        return None
    length = int.from_bytes(rest[:n_length], "big") & ((1 << 7 * n_length) - 1)
    begin = position + n_number + n_length
    is_told = length != (1 << 7 * n_length) - 1
    return int.from_bytes(head[:n_number], "big"), begin, begin + length if is_told else None


def _last_box_end(file: BinaryIO, n_bytes: int) -> int:
    """Where the last top-level box of an MP4 or QuickTime file says that it ends."""
    position = 0
    for _ in range(_MAX_ELEMENTS):
        file.seek(position)
        head = file.read(16)
        if len(head) < 8 or not head[4:8].isalnum():
            break  # what is appended behind the boxes, for instance zeros, is no box
        (length,) = struct.unpack(">I", head[:4])
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack(">Q", head[8:])
        if length < 8:  # 0: as far as the file goes
            break
        position += length
        if position >= n_bytes:
            break
    return position


def _is_transport_stream(file: BinaryIO) -> bool:
    file.seek(0)
    head = file.read(5 * _TS_PACKET_BYTES[0])
    return len(head) > 4 * _TS_PACKET_BYTES[0] and all(
        head[k * _TS_PACKET_BYTES[0]] == _TS_SYNC for k in range(5)
    )
