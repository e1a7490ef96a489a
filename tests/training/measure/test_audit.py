"""Groups of people side by side, on made-up faces."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live.errors import DataError
from fer_live.model.assets import GPU_MODEL, asset
from fer_live.vision.answers import AnswerConfig
from tests.helpers.commands import fails
from tests.helpers.here import run_here
from training.measure.audit import audit, to_markdown

MODEL = asset(GPU_MODEL)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """70 faces: 40 of one group, 30 of another, and one of a third, which is too few."""
    (tmp_path / "audit").mkdir()
    rows = [("set", "name", "age", "gender", "group")]
    generator = np.random.default_rng(0)
    for number in range(71):
        name = f"{number:03d}"
        noise = generator.integers(0, 256, (24, 24)).astype(np.uint8)
        face = cv2.resize(noise, (96, 96), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(tmp_path / "audit" / f"{name}.jpg"), face)
        group = "one" if number < 40 else "other" if number < 70 else "third"
        rows.append(("audit", name, "20-29", "Female" if number % 2 else "Male", group))
    rows += [("audit", "not there", "20-29", "Male", "one"), ("faces", "000", "20-29", "Male", "x")]
    with (tmp_path / "fairface.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return tmp_path


def test_rows_of_an_audit_do_not_vanish(people: Path, capsys: pytest.CaptureFixture[str]):
    (people / "audit/003.jpg").write_bytes(b"\xff\xd8\xff and no more")
    assert audit(MODEL, people, AnswerConfig())["n"] == 70
    told = capsys.readouterr().err
    assert "left out 1 of 72 rows, whose picture is not in audit/" in told
    assert "skipped 1 of 71 images" in told
    table = people / "fairface.csv"
    text = table.read_text()
    table.write_text(text + "audit,004\n")
    with pytest.raises(DataError, match="line 75: fewer values than columns"):
        audit(MODEL, people, AnswerConfig())
    table.write_text(text + "audit,004,20-29,Male,one\n")
    with pytest.raises(DataError, match="line 75: names 004 a second time, after line 6"):
        audit(MODEL, people, AnswerConfig())


def test_each_group_has_its_answers_and_how_steady_they_are(people: Path):
    figures = audit(MODEL, people, AnswerConfig())
    assert figures["n"] == 71
    groups = figures["groups"]["group"]
    assert {name: group["n"] for name, group in groups.items()} == {"one": 40, "other": 30}
    for group in (*groups.values(), figures["everyone"]):
        assert sum(group["shares"]) == pytest.approx(1)
        for change in ("mirror", "jitter", "dark", "confidence"):
            middle, low, high = group[change]
            assert 0 <= low <= middle <= high <= 1
    assert figures["everyone"]["mirror"][0] < 1, "read once, or it could not fail"
    table = to_markdown(figures)
    assert "| one | 40 |" in table and "third" not in table


def test_what_is_no_audit_is_named(tmp_path: Path, people: Path, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(DataError, match=r"fairface\.csv: cannot be read"):
        audit(MODEL, tmp_path / "none", AnswerConfig())
    (people / "fairface.csv").write_text("set,name\naudit,000\n")
    done = run_here(capfd, "fer-train", "audit", MODEL, "--faces", people)
    fails(done, 2, "not the columns")
