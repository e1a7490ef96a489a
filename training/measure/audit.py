"""`fer-train audit`: does a model read groups of people alike? Measured without expression labels.

Without labels nobody can say who is read right. What can be said: which answers a group gets, how
sure they are, and whether the answer stays when the picture is changed in a way that changes no
expression. A group that is read less steadily is read worse; a group that gets other answers may
look different in these pictures, or be read wrongly.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_live.base.regular_file import open_text
from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.errors import DataError
from fer_live.plain_text import say
from fer_live.vision.answers import AnswerConfig
from training.data.image_files import read_crops, read_gray_face
from training.data.labeled_images import check_new
from training.measure.corruptions import corrupt
from training.measure.evaluate import Model, open_model
from training.measure.markdown import table_row

ATTRIBUTES = ("age", "gender", "group")
CHANGES = ("mirror", "jitter", "dark")
_PART = "audit"
_MIN_FACES = 30
"""In a group; what fewer show is chance."""
_RESAMPLES = 2000
_JITTER, _DARK = ("misplaced", 1), ("dark", 1)


def audit(model_path: Path, folder: Path, answers: AnswerConfig) -> dict[str, Any]:
    """Measure every group of every attribute; `InputError` or `DataError` where there is none.

    Under "mirror" the faces are read once whatever `answers` says, because the mean of a face and
    its mirror image is its mirror image's, too.
    """
    model = open_model(model_path, answers)
    once = open_model(model_path, AnswerConfig(1, answers.prior))
    names, attributes = _listed(folder)
    side = model.manifest.input_side
    faces, readable = read_crops(
        f"{folder.name} {_PART}",
        len(names),
        lambda i: read_gray_face(folder / _PART / f"{names[i]}.jpg", side),
        side,
    )
    attributes = {name: values[readable] for name, values in attributes.items()}
    probs = model.predict(faces)
    stays = _stays(model, once, faces, probs)
    generator = np.random.default_rng(0)
    groups = {
        attribute: {
            value: _figures(probs[rows], {name: s[rows] for name, s in stays.items()}, generator)
            for value in sorted(set(values.tolist()))
            if (rows := values == value).sum() >= _MIN_FACES
        }
        for attribute, values in attributes.items()
    }
    return {
        "model": str(model_path),
        "n": len(faces),
        "readings": answers.readings,
        "prior": answers.prior,
        "labels": list(model.manifest.labels),
        "everyone": _figures(probs, stays, generator),
        "groups": groups,
    }


def _listed(folder: Path) -> tuple[list[str], dict[str, NDArray[np.str_]]]:
    """The names of the pictures that are there, and the value of each attribute."""
    file = folder / "fairface.csv"
    try:
        with open_text(file) as lines:
            reader = csv.DictReader(lines)
            rows, seen = [], dict[str, int]()
            for row in (row for row in reader if row.get("set") == _PART):
                where = f"{file}, line {reader.line_num}"
                if None in (row.get(column, "") for column in ("name", *ATTRIBUTES)):
                    raise DataError(f"{where}: fewer values than columns; a short row?")
                check_new(seen, row.get("name", ""), reader.line_num, where)
                rows.append(row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read: {error}") from None
    n_listed = len(rows)
    rows = [row for row in rows if (folder / _PART / f"{row.get('name')}.jpg").is_file()]
    if rows and len(rows) < n_listed:
        say(
            f"{file}: left out {n_listed - len(rows)} of {n_listed} rows, whose picture is not in "
            f"{_PART}/",
            to=sys.stderr,
        )
    if not rows or not set(ATTRIBUTES) <= set(rows[0]):
        columns = ", ".join(("set", "name", *ATTRIBUTES))
        raise DataError(f"{file}: no picture of {_PART}/ in it, or not the columns {columns}")
    values = {name: np.array([row[name] for row in rows]) for name in ATTRIBUTES}
    return [row["name"] for row in rows], values


def _stays(
    model: Model, once: Model, faces: UInt8Array, probs: FloatArray
) -> dict[str, NDArray[np.bool_]]:
    """Whether the answer of each face stays under each change, (N,) bool."""
    mirrored = np.ascontiguousarray(faces[:, :, ::-1])
    of_once = once.predict(faces).argmax(axis=1)
    answers = probs.argmax(axis=1)
    return {
        "mirror": once.predict(mirrored).argmax(axis=1) == of_once,
        "jitter": model.predict(corrupt(_JITTER[0], faces, _JITTER[1])).argmax(axis=1) == answers,
        "dark": model.predict(corrupt(_DARK[0], faces, _DARK[1])).argmax(axis=1) == answers,
    }


def _figures(
    probs: FloatArray, stays: dict[str, NDArray[np.bool_]], generator: np.random.Generator
) -> dict[str, Any]:
    """What was measured of one group, each with its 95 % interval by a bootstrap over faces."""
    n = len(probs)
    drawn = generator.integers(0, n, (_RESAMPLES, n))

    def with_interval(values: NDArray[Any]) -> list[float]:
        low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
        return [float(values.mean()), float(low), float(high)]

    shares = np.bincount(probs.argmax(axis=1), minlength=probs.shape[1]) / n
    return {
        "n": n,
        "shares": [float(share) for share in shares],
        "confidence": with_interval(probs.max(axis=1).astype(np.float64)),
        **{name: with_interval(values.astype(np.float64)) for name, values in stays.items()},
    }


def to_markdown(figures: dict[str, Any]) -> str:
    """Write one table an attribute: a row a group, in percent with 95 % intervals."""
    return "\n".join(_lines(figures)) + "\n"


def _lines(figures: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{figures['n']:,} faces without expression labels, prior {figures['prior']}, "
        f"{figures['readings']} readings. Percent, with 95 % intervals by a bootstrap over faces. "
        "The answer stays: under a mirror (read once), a crop that is shifted a little, and in the "
        "dark."
    )
    for attribute, groups in figures["groups"].items():
        yield ""
        yield table_row(attribute, "faces", "confidence", *CHANGES, *figures["labels"])
        yield table_row(*("---" for _ in range(3 + len(CHANGES) + len(figures["labels"]))))
        for name, group in (*groups.items(), ("everyone", figures["everyone"])):
            measured = [_percent(group[key]) for key in ("confidence", *CHANGES)]
            shares = [f"{100 * share:.1f}" for share in group["shares"]]
            yield table_row(name, str(group["n"]), *measured, *shares)


def _percent(values: list[float]) -> str:
    middle, low, high = (100 * value for value in values)
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"
