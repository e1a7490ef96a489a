"""Small files that claim to be large: one line, or rows within 2 GB of memory."""

import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from fer_live.base.array_file import ArrayFault, load_array, load_arrays
from fer_live.errors import InputError, LimitError
from fer_live.model.manifest import EXPRESSIONS
from fer_live.recording.row_index import INDEX_FILE, load_index
from fer_live.sources.clip import ClipSource
from fer_live.sources.images import MAX_PIXELS, ImageSource, read_image
from fer_live.sources.untrusted import open_untrusted
from fer_live.studies.tables import read_rows
from fer_live.vision.detector import FaceDetector
from tests.helpers.clips import ffmpeg

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")

MAX_BYTES = 2_000_000_000


def png(width: int, height: int, kind: int = 0, bits: int = 1) -> bytes:
    """Black, a thousandth of what it unpacks to."""
    row = b"\0" + bytes((width * {0: 1, 2: 3, 6: 4}[kind] * bits + 7) // 8)
    packer = zlib.compressobj(9)
    packed = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", packed), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


TELL = """
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


def peak_of(code: str, *arguments: object) -> int:
    """The most memory that a process had which runs this, bytes."""
    command = [sys.executable, "-c", code + TELL, *map(str, arguments)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(told.splitlines()[-1]) * 1024


READ = """
import sys
from fer_live.sources.open import open_source
from fer_live.vision.pipeline import Pipeline
source = open_source(sys.argv[1])
with Pipeline.load() as pipeline:
    n = 0
    while (frame := source.read()) is not None:
        pipeline.process(frame)
        n += 1
assert n == int(sys.argv[2])
"""


def gif(path: Path, side: int) -> None:
    frames = [Image.new("P", (side, side), shade) for shade in range(3)]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])


@pytest.mark.parametrize("kind", ["bits", "transparent", "animation", "progressive"])
def test_the_largest_picture_fits(tmp_path: Path, kind: str):
    path, n = tmp_path / kind, 1
    match kind:
        case "bits":
            path.write_bytes(png(10_480, 10_480))
        case "transparent":
            path.write_bytes(png(10_480, 10_480, 6, 8))
        case "animation":
            gif(path, 6760)
            n = 3
        case "progressive":  # the largest that phones make
            photo = Image.new("RGB", (12_000, 9000))
            photo.save(path, "JPEG", progressive=True, subsampling=0)
    assert peak_of(READ, path, n) < MAX_BYTES


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("a.png", (10_500, 10_500)),
        ("a.png", (13_370, 13_370)),
        ("a.png", (30_000, 30_000)),
        ("a.gif", (6800, 6800)),
        ("a.webp", (8100, 8100)),
        ("a.jp2", (6700, 6700)),
    ],
)
def test_a_picture_that_does_not_fit_is_refused_with_the_limit(
    tmp_path: Path, name: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
):
    """Before one of its pixels is decoded."""
    path = tmp_path / name
    if name == "a.png":
        path.write_bytes(png(*size))
    elif name == "a.gif":
        gif(path, size[0])
    else:
        Image.new("L" if name == "a.jp2" else "RGB", size).save(path)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("decoded"))
    for read in (read_image, ImageSource, lambda path: open_untrusted(path, MAX_PIXELS)):
        with pytest.raises(LimitError, match="pixels") as caught:
            read(path)
        assert "\n" not in str(caught.value)


def test_a_video_that_does_not_fit_is_refused_with_the_limit(tmp_path: Path):
    for codec, name in (("mpeg4", "a.mkv"), ("mjpeg", "a.avi")):
        path = tmp_path / name
        ffmpeg("-f", "lavfi", "-i", "color=s=6400x6400:d=0.08", "-c:v", codec, path)
        with pytest.raises(LimitError, match="more than 36 million"):
            ClipSource(path).read()


def test_strips_make_the_picture_that_the_whole_makes(monkeypatch: pytest.MonkeyPatch, tmp_path):
    random = np.random.default_rng(0)
    colors = random.integers(0, 256, (97, 61, 4), np.uint8)
    pictures = {
        "a.png": Image.fromarray(colors, "RGBA"),
        "b.png": Image.fromarray(colors[..., :3]).quantize(16),
        "c.tif": Image.fromarray(colors[..., 0].astype(np.float32) / 255),
        "d.png": Image.fromarray(colors[..., 0].astype(np.uint16) * 257),
    }
    for name, picture in pictures.items():
        picture.save(tmp_path / name)
    whole = {name: read_image(tmp_path / name) for name in pictures}
    monkeypatch.setattr("fer_live.sources.images._STRIP_PIXELS", 700)
    for name, image_bgr in whole.items():
        np.testing.assert_array_equal(read_image(tmp_path / name), image_bgr)


def test_a_face_in_a_very_large_picture_is_where_it_is_in_a_smaller_one(
    tmp_path: Path, demo_clip: Path
):
    frame = ClipSource(demo_clip).read()
    assert frame is not None
    large = np.repeat(np.repeat(frame.image_bgr, 8, axis=0), 8, axis=1)
    assert large.shape[0] * large.shape[1] > 16_000_000
    with FaceDetector("short") as detector:
        (small_face, *_), (face, *_) = (
            sorted(detector.detect(image, at), key=lambda face: face.box_xyxy[0])
            for image, at in ((frame.image_bgr, 0.0), (large, 10.0))
        )
    width = small_face.box_xyxy[2] - small_face.box_xyxy[0]
    assert np.abs(face.box_xyxy / 8 - small_face.box_xyxy).max() < 0.1 * width
    assert np.abs(face.keypoints_xy / 8 - small_face.keypoints_xy).max() < 0.1 * width


def rows_table(n: int, **more: pa.Array) -> pa.Table:
    words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array(["a"]))
    zeros, whole = pa.array(np.zeros(n)), pa.array(np.zeros(n, np.int64))
    columns = {"source": words, "frame": whole, "time_s": zeros, "track_id": whole}
    columns |= {"label": words, "shown_label": words}
    columns |= {f"p_{label}": zeros for label in EXPRESSIONS}
    return pa.table(columns | more)


def test_a_small_parquet_file_of_countless_rows_is_refused(tmp_path: Path):
    path = tmp_path / "a.parquet"
    parquet.write_table(rows_table(5_000_000), path, compression="zstd")
    assert path.stat().st_size < 2_000_000
    with pytest.raises(InputError, match="claims more rows than"):
        read_rows([path])
    parquet.write_table(rows_table(2000), path, compression="zstd")
    assert len(read_rows([path])) == 2000


def test_a_small_parquet_file_of_endless_words_is_refused(tmp_path: Path):
    """Each of its own, so that no dictionary holds them; packed they are next to nothing."""
    path = tmp_path / "a.parquet"
    words = pa.array([f"{number}{'a' * 2_000_000}" for number in range(100)])
    table = rows_table(100, marker=words)
    parquet.write_table(table, path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(InputError, match="unpacks to more than"):
        read_rows([path])


def test_a_parquet_file_of_values_in_values_is_refused(tmp_path: Path):
    parquet.write_table(rows_table(3, marker=pa.array([[1], [2], [3]])), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="column marker holds no numbers and no text"):
        read_rows([tmp_path / "a.parquet"])


def array_file(descr: str, shape: tuple[int, ...], n_bytes: int) -> bytes:
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + bytes(n_bytes)


@pytest.mark.parametrize(
    ("descr", "shape", "n_bytes"),
    [
        ("<U0", (500_000_000,), 0),
        ("|S0", (500_000_000,), 0),
        ("<U1", (500_000_000,), 4),
        ("<f8", (500_000_000, 0), 0),
        ("<f8", (1_000_000,), 8),
        ("|O", (1,), 8),
    ],
)
def test_an_array_claims_no_more_than_it_has(
    tmp_path: Path, descr: str, shape: tuple[int, ...], n_bytes: int
):
    content = array_file(descr, shape, n_bytes)
    (tmp_path / "a.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", content)
    with pytest.raises(ArrayFault):
        load_array(tmp_path / "a.npy", "fUSO", len(shape))
    with pytest.raises(ArrayFault):
        load_arrays(tmp_path / "a.npz", {"a": ("fUSO", len(shape))})


LOAD_INDEX = """
import sys
from pathlib import Path
from fer_live.recording.row_index import load_index
load_index(Path(sys.argv[1]), ("a", "b"))
"""


def test_an_index_of_countless_words_is_another_one(tmp_path: Path):
    """They are there, packed; nothing is made of them before they were counted."""
    rows = tmp_path / "faces.jsonl"
    rows.touch()
    fields = {"times_s": "<f8", "offsets": "<i8", "frames": "<i8", "track_ids": "<i4"}
    with zipfile.ZipFile(tmp_path / INDEX_FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("of.npy", array_file("<U1", (20_000_000,), 80_000_000))
        for name, descr in {**fields, "shown": "<i2"}.items():
            archive.writestr(f"{name}.npy", array_file(descr, (0,), 0))
        archive.writestr("probs.npy", array_file("<f2", (0, 2), 0))
    assert load_index(rows, ("a", "b")) is None
    assert peak_of(LOAD_INDEX, rows) < 400_000_000
