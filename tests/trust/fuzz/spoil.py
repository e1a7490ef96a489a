"""What happens to files, and what somebody does to them who wants to break their reader."""

import io
import json
import struct
import zipfile
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

EVIL = "/tmp/fer-live-evil"
_ODD_TEXTS = (
    *("", " ", "\0", "x" * 70_000, "\ud800", "\u202e\u0301", "NaN", "-inf", "1e999", "٣", "true"),
    *("../../outside/evil", "../kept.txt", EVIL, "/dev/zero", "C:\\evil", "file:///etc/passwd"),
    *("=1+1", '"', "a\nb", "a\r", ",", "0x10", "1_0", "9" * 30, "-1", "2026-99-99", "%s{0}$(x)"),
    "9" * 5000,
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1.5, 10**9, 2**31, 2**63, 2**64, 10**30, -(10**30), 1e308),
    10**400,
    *(float("nan"), float("inf"), float("-inf"), [], {}, [None], {"a": 1}, [[[]]], [1, "a"]),
    *_ODD_TEXTS,
)
_ODD_JSON = (
    *(b"", b"null", b"[]", b"{}", b"0", b'""', b"{", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"NaN"),
    *(b"[" * 100_000, b'{"a":' * 50_000, b"1" * 10_000, b'"\\ud800"', b'{"a":1,"a":2}', b"\0" * 64),
)


def bytes_spoilt(content: bytes, choose: Random) -> bytes:
    """One to four things done to a file that happen to files."""
    spoilt = bytearray(content)
    for _ in range(choose.randint(1, 4)):
        n = len(spoilt)
        if n < 8:
            break
        at, length = choose.randrange(n), choose.randint(1, max(n // 4, 1))
        match choose.choice(("flip", "flip", "flip", "cut", "zero", "noise", "insert", "lose")):
            case "flip":
                for _ in range(choose.randint(1, 12)):
                    spoilt[choose.randrange(n)] ^= 1 << choose.randrange(8)
            case "cut":
                del spoilt[at:]
            case "zero":
                spoilt[at : at + length] = bytes(len(spoilt[at : at + length]))
            case "noise":
                part = len(spoilt[at : at + length])
                spoilt[at : at + length] = choose.randbytes(part)
            case "insert":
                spoilt[at:at] = choose.randbytes(min(length, 64))
            case "lose":
                del spoilt[at : at + length]
    return bytes(spoilt)


def value_spoilt(value: Any, choose: Random) -> Any:
    """A JSON value in which one to three places are of another type, size or name, or gone."""
    root = {"": value}
    for _ in range(choose.randint(1, 3)):
        holders: list[Any] = list(_holders(root))
        holder = choose.choice(holders)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            continue
        key = choose.choice(keys)
        match choose.choice(
            ("replace", "replace", "replace", "delete", "rename", "wrap", "repeat")
        ):
            case "replace":
                holder[key] = deepcopy(choose.choice(ODD_VALUES))  # or one could hold itself
            case "delete" if holder is not root:
                del holder[key]
            case "rename" if isinstance(holder, dict) and holder is not root:
                holder[choose.choice(_ODD_TEXTS)] = holder.pop(key)
            case "wrap":
                holder[key] = choose.choice(([holder[key]], {"a": holder[key]}, str(holder[key])))
            case "repeat" if isinstance(holder[key], list | str):
                holder[key] = holder[key] * choose.choice((0, 2, 1000))
    return root[""]


def _holders(value: Any) -> Any:
    if isinstance(value, dict | list):
        yield value
        for child in value.values() if isinstance(value, dict) else value:
            yield from _holders(child)


def json_spoilt(content: bytes, choose: Random) -> bytes:
    """A JSON text with other values in it, or that is none."""
    if choose.random() < 0.15:
        return bytes_spoilt(content, choose)
    if choose.random() < 0.05:
        return choose.choice(_ODD_JSON)
    try:
        told = value_spoilt(json.loads(content), choose)
    except (ValueError, RecursionError):  # it is spoilt already
        return bytes_spoilt(content, choose)
    is_ascii = choose.random() < 0.5
    text = json.dumps(told, ensure_ascii=is_ascii)
    return text.encode("utf-8", choose.choice(("replace", "surrogatepass")))


def lines_of_json_spoilt(content: bytes, choose: Random) -> bytes:
    """JSON lines of which one to four are spoilt, doubled, gone or in another order."""
    lines = content.splitlines(keepends=True)
    for _ in range(choose.randint(1, 4)):
        if not lines:
            break
        at = choose.randrange(len(lines))
        match choose.choice(("spoil", "spoil", "spoil", "spoil", "double", "delete", "swap")):
            case "spoil":
                try:
                    lines[at] = json_spoilt(lines[at], choose) + choose.choice((b"\n", b"\n", b""))
                except (ValueError, RecursionError):
                    lines[at] = bytes_spoilt(lines[at], choose)
            case "double":
                lines.insert(at, lines[at])
            case "delete":
                del lines[at]
            case "swap":
                lines.append(lines.pop(at))
    return b"".join(lines)


def table_spoilt(content: bytes, choose: Random, separator: str = ",") -> bytes:
    """A table of which some cells and lines are other ones, or more, or fewer; or its encoding."""
    if choose.random() < 0.15:
        return bytes_spoilt(content, choose)
    rows = [line.split(separator) for line in content.decode().splitlines()]
    for _ in range(choose.randint(1, 4)):
        row = choose.choice(rows) if choose.random() < 0.7 else rows[0]
        at = choose.randrange(len(row)) if row else 0
        match choose.choice(
            ("cell", "cell", "cell", "cell", "drop", "add", "line", "lose", "swap")
        ):
            case "cell" if row:
                row[at] = choose.choice(_ODD_TEXTS)
            case "drop" if row:
                del row[at]
            case "add":
                row.insert(at, choose.choice(_ODD_TEXTS))
            case "line":
                rows.insert(choose.randrange(len(rows)), list(row))
            case "lose" if len(rows) > 1:
                del rows[choose.randrange(len(rows))]
            case "swap" if row:
                row.append(row.pop(at))
    ends = choose.choice(("\n", "\n", "\n", "\r\n", "\r", ""))
    joint = choose.choice((separator,) * 6 + (";", "\t"))
    text = ends.join(joint.join(row) for row in rows) + ends
    encoding = choose.choice(("utf-8",) * 8 + ("utf-8-sig", "utf-16", "latin-1"))
    return text.encode(encoding, "replace")


def text_spoilt(content: bytes, choose: Random) -> bytes:
    """A text, such as TOML, of which the values behind "=" are other ones."""
    if choose.random() < 0.3:
        return bytes_spoilt(content, choose)
    lines = content.decode().splitlines()
    for _ in range(choose.randint(1, 3)):
        at = choose.randrange(len(lines))
        name, is_value, _ = lines[at].partition("=")
        odd = choose.choice(ODD_VALUES)
        written = json.dumps(odd) if choose.random() < 0.7 else str(odd)
        lines[at] = f"{name}= {written}" if is_value else written
    return "\n".join(lines).encode("utf-8", "replace") + b"\n"


def array_spoilt(array: np.ndarray, choose: Random) -> bytes:
    """A .npy file of an array like this one, of another type, shape, size or content."""
    kinds = ("bytes", "dtype", "shape", "empty", "odd", "object", "header", "claims")
    content, flat = io.BytesIO(), array.ravel()
    match choose.choice(kinds):
        case "dtype":
            kind = choose.choice(("f2", "f8", "i1", "u8", "U3", "S2", "?", "c8", "M8[s]", "V4"))
            try:
                np.save(content, array.astype(kind))
            except (ValueError, TypeError, OverflowError):
                np.save(content, np.zeros(array.shape, "f8"))
        case "shape":
            shape = choose.choice((array[..., None], flat, array[None], array.T, flat[:1]))
            np.save(content, shape)
        case "empty":
            np.save(content, choose.choice((flat[:0], np.empty((0, 0)), np.array(0), flat[::2])))
        case "odd":
            other = array.copy()
            if other.size and other.dtype.kind in "fiu":
                places = other.reshape(-1)
                value = choose.choice((np.nan, np.inf, -1, 1e30, 2**31, -(2**63)))
                with np.errstate(all="ignore"):
                    places[choose.randrange(len(places))] = np.float64(value).astype(other.dtype)
            np.save(content, other)
        case "object":
            np.save(content, np.array([object(), None], object), allow_pickle=True)
        case "header" | "claims" as what:
            np.save(content, array)
            return _claiming(content.getvalue(), choose, is_large=what == "claims")
        case _:
            np.save(content, array)
            return bytes_spoilt(content.getvalue(), choose)
    return content.getvalue()


def _claiming(npy: bytes, choose: Random, *, is_large: bool) -> bytes:
    """The header says another shape than the content has."""
    n_header = struct.unpack("<H", npy[8:10])[0]
    shapes = ("(1000000, 1000000)", "(99999999999,)", "(536870912,)") if is_large else _ODD_SHAPES
    descr = choose.choice(("|u1", "<f8", "<f4", "|O", "<U100000", "zz", "[('a','<f4')]"))
    quoted = descr if descr.startswith("[") else f"'{descr}'"
    order = choose.choice(("False", "True", "7"))
    head = f"{{'descr': {quoted}, 'fortran_order': {order}, 'shape': {choose.choice(shapes)}, }}"
    padded = head.encode().ljust(n_header - 1)[: n_header - 1] + b"\n"
    return npy[:10] + padded + npy[10 + n_header :]


_ODD_SHAPES = (
    "()",
    "(-1,)",
    "(0,)",
    "(1.5,)",
    "'a'",
    "(2, 2, 2, 2)",
    "(" * 200,
    "(10**9,)",
    "None",
)


def archive_spoilt(content: bytes, choose: Random, spoil: Callable[[str, bytes], bytes]) -> bytes:
    """A ZIP archive of which a member is spoilt, gone, twice there or of another name. Its sums are
    right, so that its members are looked at."""
    if choose.random() < 0.2:
        return bytes_spoilt(content, choose)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    at = choose.randrange(len(members))
    name, inner = members[at]
    match choose.choice(("spoil", "spoil", "spoil", "lose", "double", "name", "more", "bomb")):
        case "spoil":
            members[at] = name, spoil(name, inner)
        case "lose":
            del members[at]
        case "double":
            members.append((name, spoil(name, inner)))
        case "name":
            members[at] = choose.choice(("../evil", EVIL, "a/../../evil", "", "x" * 300)), inner
        case "more":
            members.append((choose.choice(("../evil.npy", EVIL, "evil.onnx")), inner))
        case "bomb":
            members[at] = name, bytes(20_000_000)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for member, inside in members:
            archive.writestr(zipfile.ZipInfo(member), inside, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def arrays_spoilt(content: bytes, choose: Random) -> bytes:
    """An .npz file of which one array is another."""

    def spoil(_: str, inner: bytes) -> bytes:
        return array_spoilt(np.load(io.BytesIO(inner), allow_pickle=False), choose)

    return archive_spoilt(content, choose, spoil)


def tensors_spoilt(content: bytes, choose: Random) -> bytes:
    """A safetensors file of which the header, or a JSON text in its metadata, says other things."""
    if choose.random() < 0.25:
        return bytes_spoilt(content, choose)
    n_header = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8 : 8 + n_header]), content[8 + n_header :]
    texts = header.get("__metadata__", {})
    if texts and choose.random() < 0.5:
        key = choose.choice(list(texts))
        texts[key] = json_spoilt(texts[key].encode(), choose).decode(errors="replace")
    else:
        header = _other_tensors(header, choose)
    told = json.dumps(header).encode()
    told = told.ljust(-(-len(told) // 8) * 8)
    # A header that was spoilt may be shorter than nine letters, and no size is below 0.
    odd_sizes = (0, 1, 2**40, 2**63, max(len(told) - 9, 0))
    size = len(told) if choose.random() < 0.95 else choose.choice(odd_sizes)
    return struct.pack("<Q", size) + told + (data if choose.random() < 0.9 else data[:-4])


def _other_tensors(header: dict[str, Any], choose: Random) -> Any:
    """Another type, shape or name of one tensor; or anything anywhere."""
    names = [name for name in header if name != "__metadata__"]
    if not names or choose.random() < 0.3:
        return value_spoilt(header, choose)
    name = choose.choice(names)
    told = header[name]
    match choose.choice(("dtype", "shape", "name", "lose", "flat")):
        case "dtype":
            told["dtype"] = choose.choice(("F64", "I32", "F16", "BF16", "U8", "BOOL", "F8_E5M2"))
        case "shape":
            told["shape"] = choose.choice(([], [0], [2**32], [2**62, 4], told["shape"][::-1]))
        case "name":
            header[choose.choice(_ODD_TEXTS)] = header.pop(name)
        case "lose":
            del header[name]
        case "flat":
            told["shape"] = [int(np.prod(told["shape"]))]
    return header


_BY_SUFFIX: dict[str, Callable[[bytes, Random], bytes]] = {
    ".json": json_spoilt,
    ".jsonl": lines_of_json_spoilt,
    ".csv": table_spoilt,
    ".toml": text_spoilt,
    ".npz": arrays_spoilt,
    ".safetensors": tensors_spoilt,
}


def content_spoilt(suffix: str, content: bytes, choose: Random) -> bytes:
    """By what the name of a file says it is."""
    if suffix == ".npy":
        return array_spoilt(np.load(io.BytesIO(content), allow_pickle=False), choose)
    return _BY_SUFFIX.get(suffix, bytes_spoilt)(content, choose)


def spoil_file(path: Path, choose: Random) -> None:
    """Spoil what a file holds."""
    path.write_bytes(content_spoilt(path.suffix, path.read_bytes(), choose))


def spoil_folder(folder: Path, choose: Random, *, spared: Sequence[str] = ()) -> None:
    """Spoil one or two files of a folder, or what they are: gone, empty, a folder, a link.

    `spared` are the ends of names of files that stay as they are.
    """
    files = sorted(
        p for p in folder.rglob("*") if p.is_file() and not p.name.endswith(tuple(spared))
    )
    for path in choose.sample(files, min(choose.choice((1, 1, 2)), len(files))):
        match choose.choice(("content",) * 12 + ("gone", "empty", "folder", "link", "loop")):
            case "content":
                spoil_file(path, choose)
            case "gone":
                path.unlink()
            case "empty":
                path.write_bytes(b"")
            case "folder":
                path.unlink()
                path.mkdir()
            case "link":
                path.unlink()
                path.symlink_to(choose.choice((folder / "nowhere", folder)))
            case "loop":
                path.unlink()
                path.symlink_to(path)
