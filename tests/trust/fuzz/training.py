"""Trees of training data in their official layouts, packed data, lists, configs and grids."""

import gzip
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from fer_live.errors import FerLiveError
from fer_live.model.manifest import EXPRESSIONS
from tests.helpers.fer_tree import FerTree
from tests.trust.fuzz.kind import InputKind, kind_of
from tests.trust.fuzz.spoil import spoil_file, spoil_folder, table_spoilt
from training.config import config_to_toml, load_config
from training.data.affectnet import load_affectnet
from training.data.fer2013 import load_fer2013
from training.data.folder import load_labeled_folder
from training.data.image_files import load_image_folder
from training.data.labeled_images import LabeledImages
from training.data.mapped import load_mapped, load_mapped_faces, pack_labeled
from training.data.raf_db import load_raf_db
from training.data.splits import draw_share, load_list, save_list, to_list
from training.study.cells import load_grid

_SIDE = 48
_DATA = "data"
_GRID = """title = "small"
budgets = [0.1, 1.0]
seeds = [0, 1]
comparisons = [["one/1", "two/1"]]
compare = "one"

[[rows]]
name = "one"
method = "dta_snl"
settings = {schedule = {passes = 2}}

[[rows]]
name = "two"
method = "supervised"

[base.data]
source = "fer2013:data/fer2013"
"""


def _picture(path: Path, gray: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ramp = np.linspace(0, gray, 50)[None, :].repeat(50, 0).astype(np.uint8)
    Image.fromarray(ramp).save(path)


def _fer2013(folder: Path) -> None:
    (folder / _DATA).mkdir()
    tree = FerTree(folder / _DATA)
    for number in range(4):
        tree.add("Training", EXPRESSIONS[number], seed=number)
    tree.add("PublicTest", "anger", seed=9)
    tree.write()


def _fer2013_packed(folder: Path) -> None:
    _fer2013(folder)
    plain = folder / _DATA / "fer2013.csv"
    packed = gzip.compress(plain.read_bytes(), mtime=0)
    (folder / _DATA / "fer2013.csv.gz").write_bytes(packed)
    plain.unlink()


def _read_fer2013(folder: Path) -> None:
    data = load_fer2013(folder / _DATA)
    for split in ("Training", "PublicTest"):
        for rule in ("fer2013", "ferplus-argmax", "ferplus-majority"):
            _whole_or_refused(lambda s=split, r=rule: data.select(s, r).resized(56))  # type: ignore[misc]


def _whole_or_refused(load: Callable[[], object]) -> None:
    """Some parts of a tree may be empty; the others are read still."""
    try:
        load()
    except FerLiveError as error:
        assert len(str(error).splitlines()) == 1, error


def _spoil_packed(folder: Path, choose: Random) -> None:
    """The table inside, or the archive around it."""
    path = folder / _DATA / "fer2013.csv.gz"
    if choose.random() < 0.4:
        spoil_folder(folder / _DATA, choose)
        return
    table = table_spoilt(gzip.decompress(path.read_bytes()), choose)
    path.write_bytes(gzip.compress(table, compresslevel=1))


def _raf_db(folder: Path) -> None:
    lines = []
    for number in range(1, 8):
        lines.append(f"train_{number:05}.jpg {number}")
        _picture(folder / _DATA / f"Image/aligned/train_{number:05}_aligned.jpg", 30 * number)
    (folder / _DATA / "EmoLabel").mkdir()
    (folder / _DATA / "EmoLabel/list_patition_label.txt").write_text("\n".join([*lines, ""]))


def _spoil_raf_db(folder: Path, choose: Random) -> None:
    path = folder / _DATA / "EmoLabel/list_patition_label.txt"
    if choose.random() < 0.7:
        path.write_bytes(table_spoilt(path.read_bytes(), choose, " "))
    else:
        spoil_folder(folder / _DATA, choose)


def _affectnet_csv(folder: Path) -> None:
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[48:68] = (18, 18), (32, 18), (25, 35)
    landmarks = ";".join(f"{value:.1f}" for value in points.ravel())
    lines = ["subDirectory_filePath,face_x,facial_landmarks,expression,valence"]
    for number in range(3):
        lines.append(f"{number}/a.png,6,{landmarks},{number},0.1")
        _picture(folder / _DATA / f"Manually_Annotated_Images/{number}/a.png", 60 + 40 * number)
    (folder / _DATA / "training.csv").write_text("\n".join([*lines, ""]))


def _affectnet_npy(folder: Path) -> None:
    part = folder / _DATA / "train_set"
    (part / "annotations").mkdir(parents=True)
    for number in range(3):
        np.save(part / f"annotations/{number}_exp.npy", np.array(str(number)))
        _picture(part / f"images/{number}.jpg", 60 + 40 * number)


def _classes(folder: Path) -> None:
    for number, name in enumerate(("happiness", "anger")):
        for index in range(2):
            _picture(folder / _DATA / name / f"{index}.png", 60 + 40 * number + index)


def _read_classes(folder: Path) -> None:
    _whole_or_refused(lambda: load_labeled_folder(folder / _DATA, _SIDE))
    load_image_folder(folder / _DATA, _SIDE)


def _faces() -> LabeledImages:
    images = np.random.default_rng(0).integers(0, 255, (8, _SIDE, _SIDE)).astype(np.uint8)
    ids = np.array([f"{number}.png" for number in range(8)])
    return LabeledImages("made up", EXPRESSIONS, images, np.arange(8) % 4, ids)


def _mapped(folder: Path) -> None:
    pack_labeled(_faces(), folder / _DATA)


def _read_mapped(folder: Path) -> None:
    """A class that occurs is drawn from by its number, as training and evaluation do."""
    _whole_or_refused(lambda: load_mapped_faces(folder / _DATA, _SIDE))
    data = load_mapped(folder / _DATA, _SIDE)
    data.where(draw_share(data, 0.5, 0))
    data.in_classes(data.classes)


def _list(folder: Path) -> None:
    data = _faces()
    save_list(folder / "split.json", to_list(data, draw_share(data, 0.5, 0), 0))


def _read_list(folder: Path) -> None:
    load_list(folder / "split.json", _faces())


def _config(folder: Path) -> None:
    root = Path(__file__).parents[3] / "training" / "configs" / "fer2013_10_percent.toml"
    (folder / "config.toml").write_text(root.read_text())


def _read_config(folder: Path) -> None:
    config_to_toml(load_config(folder / "config.toml", []))


def _tree(
    make: Callable[[Path], None],
    read: Callable[[Path], None],
    spoil: Callable[[Path, Random], None] | None = None,
) -> InputKind:
    usual: Callable[[Path, Random], None] = lambda f, choose: spoil_folder(f / _DATA, choose)  # noqa: E731
    return kind_of(make, spoil or usual, read)


KINDS: dict[str, InputKind] = {
    "fer2013": _tree(_fer2013, _read_fer2013),
    "fer2013 gz": _tree(_fer2013_packed, _read_fer2013, _spoil_packed),
    "raf-db": _tree(
        _raf_db, lambda f: _ignore(load_raf_db(f / _DATA, "train", _SIDE)), _spoil_raf_db
    ),
    "affectnet csv": _tree(
        _affectnet_csv, lambda f: _ignore(load_affectnet(f / _DATA, "training", _SIDE))
    ),
    "affectnet npy": _tree(
        _affectnet_npy, lambda f: _ignore(load_affectnet(f / _DATA, "training", _SIDE))
    ),
    "folder of labels": _tree(_classes, _read_classes),
    "mapped": _tree(_mapped, _read_mapped),
    "split list": kind_of(
        _list, lambda f, choose: spoil_file(f / "split.json", choose), _read_list
    ),
    "config": kind_of(
        _config, lambda f, choose: spoil_file(f / "config.toml", choose), _read_config
    ),
    "grid": kind_of(
        lambda f: _ignore((f / "grid.toml").write_text(_GRID)),
        lambda f, choose: spoil_file(f / "grid.toml", choose),
        lambda f: _ignore(load_grid(f / "grid.toml")),
    ),
}


def _ignore(_: object) -> None:
    """What comes back is of no interest."""
