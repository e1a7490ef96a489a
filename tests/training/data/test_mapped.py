"""Data sets on disk: packed, mapped, and trained on without being loaded."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fer_live.errors import DataError, InputError
from tests.helpers.forked import end_forked, start_forked
from tests.helpers.here import run_here
from training.config import parse_config
from training.data import face_pool
from training.data.face_pool import FacePool, fingerprints
from training.data.mapped import load_mapped, load_mapped_faces, pack_images, pack_labeled
from training.data.sources import draw_list, load_to_pack, load_training_data
from training.loop.train import fit
from training.models.checkpoint import load_model

MADE_UP = """
[run]
method = "fixmatch"
[data]
source = "fer2013:{tree}"
unlabeled = ["mapped:{mapped}"]
[model]
width = 8
blocks = 1
stem = "unshuffle"
input_side = 96
[schedule]
steps = 4
batch_size = 8
unlabeled_batch_size = 56
"""


def test_a_pool_takes_rows_of_several_arrays():
    first, second = np.arange(8, dtype=np.uint8), np.arange(100, 104, dtype=np.uint8)
    shape = (1, 1)
    pool = FacePool(
        [
            (first.reshape(-1, *shape), np.array([1, 5])),
            (second.reshape(-1, *shape), np.array([], dtype=np.int64)),
            (second.reshape(-1, *shape), np.array([3, 0, 0])),
        ]
    )
    assert len(pool) == 5 and pool.in_memory
    assert pool.all().ravel().tolist() == [1, 5, 103, 100, 100]
    assert pool.take(np.array([4, 0, 2, 0])).ravel().tolist() == [100, 1, 103, 1]
    assert pool.take(np.array([], dtype=np.int64)).shape == (0, 1, 1)
    both = pool + FacePool([(first.reshape(-1, *shape), np.array([7]))])
    assert both.take(np.array([5, 1])).ravel().tolist() == [7, 5]


def test_chunks_are_all_rows_in_their_order(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(face_pool, "_CHUNK", 3)
    pool = FacePool([(np.arange(8, dtype=np.uint8).reshape(8, 1, 1), np.arange(8))])
    assert [len(chunk) for chunk in pool.chunks()] == [3, 3, 2]
    assert np.concatenate(list(pool.chunks(np.array([7, 0])))).ravel().tolist() == [7, 0]


def test_equal_images_alone_have_one_fingerprint():
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4), dtype=np.uint8)
    images[3] = images[1]
    prints = list(fingerprints(images))
    assert prints[3] == prints[1] and len(set(prints)) == 4


def folder_of_faces(folder: Path) -> Path:
    folder.mkdir()
    for gray in (10, 200, 90):
        assert cv2.imwrite(str(folder / f"{gray}.png"), np.full((60, 60), gray, dtype=np.uint8))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return folder


def test_a_folder_of_images_is_packed_without_those_that_cannot_be_read(tmp_path: Path):
    assert pack_images(folder_of_faces(tmp_path / "faces"), 48, tmp_path / "packed") == 3
    faces = load_mapped_faces(tmp_path / "packed", 48)
    assert isinstance(faces.images, np.memmap)
    assert faces.images.shape == (3, 48, 48)
    assert dict(zip(faces.ids.tolist(), faces.images[:, 0, 0].tolist(), strict=True)) == {
        "10.png": 10,
        "200.png": 200,
        "90.png": 90,
    }
    with pytest.raises(DataError, match="has no labels"):
        load_mapped(tmp_path / "packed", 48)
    with pytest.raises(DataError, match="pack it again with --side 64"):
        load_mapped_faces(tmp_path / "packed", 64)


@pytest.mark.parametrize("lacks", ["images.npy", "ids.npy", "data.json"])
def test_half_a_pack_is_none(tmp_path: Path, lacks: str):
    pack_images(folder_of_faces(tmp_path / "faces"), 48, tmp_path / "packed")
    (tmp_path / "packed" / lacks).unlink()
    with pytest.raises(DataError, match="not made by fer-train pack"):
        load_mapped_faces(tmp_path / "packed", 48)


def test_training_from_disk_ends_in_the_weights_of_training_from_memory(
    learnable_tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """The same data set in the same order, labeled share and held-out images included."""
    to_pack = ("--data", f"fer2013:{learnable_tree}", "--out", tmp_path / "packed")
    packed = run_here(capfd, "fer-train", "pack", *to_pack)
    assert packed.returncode == 0, packed.stderr
    assert packed.stdout.startswith("96 faces")
    weights, logs = [], []
    for source in (f"fer2013:{learnable_tree}", f"mapped:{tmp_path / 'packed'}"):
        config = parse_config(
            {
                "run": {"method": "dta_snl"},
                "data": {
                    "source": source,
                    "evaluation": f"fer2013:{learnable_tree}",
                    "labeled_share": 0.5,
                    "heldout_share": 0.25,
                },
                "model": {"width": 8},
                "schedule": {"steps": 4, "batch_size": 8, "unlabeled_batch_size": 8},
                "options": {"threshold_source": "heldout"},
            },
            "here",
        )
        run_dir = tmp_path / source.partition(":")[0]
        fit(config, run_dir, resume=False, show_progress=False)
        weights.append(load_model(run_dir)[0].state_dict())
        data = load_training_data(config.data, 48, 0)
        assert data.unlabeled.in_memory == source.startswith("fer2013")
        log = (run_dir / "log.jsonl").read_text().splitlines()
        logs.append([line.partition('"rate"')[0] for line in log])
    assert logs[0] == logs[1]
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=0)


def test_a_pack_replaces_a_pack_and_nothing_else(tmp_path: Path, learnable_tree: Path):
    faces, packed = folder_of_faces(tmp_path / "faces"), tmp_path / "packed"
    pack_labeled(load_to_pack(f"fer2013:{learnable_tree}", None, None, 48), packed)
    assert pack_images(faces, 48, packed) == 3
    assert len(load_mapped_faces(packed, 48)) == 3
    assert not (packed / "labels.npy").exists(), "they were of the pack before"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/labels.npy").write_text("mine")
    with pytest.raises(InputError, match=r"holds labels\.npy, which fer-train pack did not make"):
        pack_images(faces, 48, tmp_path / "mine")
    assert (tmp_path / "mine/labels.npy").read_text() == "mine"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_faces_on_disk_take_no_memory(learnable_tree: Path, tmp_path: Path):
    """30,000 faces of 96 pixels, 276 MB: the run takes about as much memory as with 600."""
    peaks = [peak_of_training(made_up(n, learnable_tree, tmp_path)) for n in (600, 30_000)]
    assert peaks[1] - peaks[0] < 120 * 2**20


def made_up(n: int, tree: Path, tmp_path: Path) -> Path:
    """Write n faces as a packed data set; returns a config that trains on them."""
    folder = tmp_path / str(n)
    folder.mkdir()
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (n, 96, 96))
    images[:] = (np.arange(n) % 251)[:, None, None]
    images.flush()
    np.save(folder / "ids.npy", np.arange(n).astype(np.str_))
    (folder / "data.json").write_text('{"name": "made up"}')
    config = tmp_path / f"{n}.toml"
    config.write_text(MADE_UP.format(tree=tree.as_posix(), mapped=folder.as_posix()))
    return config


def peak_of_training(config: Path) -> int:
    """The largest memory of a process that trains, in bytes, mapped pages included."""
    code = (
        "from pathlib import Path; from training.config import load_config;"
        "from training.loop.train import fit;"
        f"fit(load_config(Path({str(config)!r})), Path({str(config.with_suffix(''))!r} + 'run'),"
        "resume=False, show_progress=False); print(Path('/proc/self/status').read_text())"
    )
    said = config.with_suffix(".said")
    result = end_forked(start_forked(said, code), said)
    assert result.returncode == 0, result.stderr
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def test_a_list_is_drawn_from_a_pack_of_any_side(learnable_tree: Path, tmp_path: Path):
    main_data = load_to_pack(f"fer2013:{learnable_tree}", None, None, 96)
    pack_labeled(main_data, tmp_path / "packed")
    drawn = draw_list(f"mapped:{tmp_path / 'packed'}", None, "ferplus-argmax", 0.5, 0)
    assert len(drawn.ids) == round(len(main_data) / 2)
    with pytest.raises(DataError, match="not made by fer-train pack"):
        draw_list(f"mapped:{learnable_tree}", None, "ferplus-argmax", 0.5, 0)
