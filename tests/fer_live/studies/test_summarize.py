"""`fer-live summarize` as a person calls it, and what its page of the documentation shows."""

import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_live.errors import InputError
from fer_live.model.manifest import EXPRESSIONS
from fer_live.outputs.cells import plain_cell
from fer_live.recording.persons import Persons, save_persons
from fer_live.studies.page import as_page
from fer_live.studies.study import StudyFiles, read_study
from fer_live.studies.summary import SummaryOptions
from fer_live.studies.written import as_csv
from tests.helpers.commands import fails
from tests.helpers.documentation import ROOT, blocks, commands
from tests.helpers.here import run_here

SOURCES = ("videos/p1_calm.mp4", "videos/p1_game.mp4", "videos/p2_calm.mp4")


def rows_of(source: str, seed: int, n_frames: int = 150) -> pd.DataFrame:
    """Five seconds of one face."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.choice(EXPRESSIONS, n_frames // 15), 15)
    probs = rng.dirichlet(np.full(len(EXPRESSIONS), 0.1), n_frames).round(6)
    frames = np.arange(n_frames)
    table = pd.DataFrame({"source": source, "frame": frames, "time_s": frames / 30, "utc": ""})
    table = table.assign(track_id=1, x1=0.0, y1=0.0, x2=50.0, y2=50.0, detection_confidence=0.9)
    table = table.assign(label=labels, shown_label=labels, confidence=0.9)
    return table.assign(**{f"p_{name}": probs[:, i] for i, name in enumerate(EXPRESSIONS)})


@pytest.fixture
def study_folder(tmp_path: Path) -> Path:
    """What the commands of the documentation name."""
    (tmp_path / "rows").mkdir()
    tables = [rows_of(source, seed) for seed, source in enumerate(SOURCES)]
    pd.concat(tables[:2]).to_csv(tmp_path / "rows" / "1.csv", index=False)
    tables[2].to_parquet(tmp_path / "rows" / "2.parquet")
    one = rows_of("clip.mp4", 7)
    one.to_json(tmp_path / "faces.jsonl", orient="records", lines=True)
    rows_of("clip.mp4", 8).to_csv(tmp_path / "other_model.csv", index=False)
    for name in ("batch.csv", "markers.csv"):
        (tmp_path / name).write_text(blocks("summarize.md", f"csv {name}")[0])
    return tmp_path


def test_every_command_of_the_documentation_runs(
    study_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd
):
    monkeypatch.chdir(study_folder)
    shown = commands("summarize.md", "sh")
    assert len(shown) == 5
    for command in shown:
        program, *words = shlex.split(command)
        assert program == "fer-live"
        done = run_here(capfd, "fer-live", *words)
        assert (done.returncode, done.stderr) == (0, ""), command
        if "--json" in words:
            groups = json.loads(done.stdout.splitlines()[-1])["groups"]
            keys = {tuple(group["key"].values()) for group in groups}
            assert ("calm", "baseline") in keys and ("game", "stimulus 1") in keys
    (script,) = blocks("summarize.md", "python")
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        check=False,
    )
    assert done.returncode == 0 and "unsure" in done.stdout, done.stderr


def test_the_table_of_measures_names_all_of_them(study_folder: Path):
    study, agreement = read_study(
        StudyFiles([study_folder / "faces.jsonl", study_folder / "other_model.csv"]),
        SummaryOptions(n_resamples=50),
        ["faces.jsonl", "other_model.csv"],
    )
    measures = {line.split(",")[1] for line in as_csv(study, agreement).splitlines()[1:]}
    page = (Path(__file__).parents[3] / "docs/summarize.md").read_text()
    table = page[page.index("| measure |") : page.index("Expressions of one's own have")]
    told = set(
        re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in table.splitlines() if line))
    )
    assert told - {"blinks_a_minute"} == measures


def test_the_page_opens_offline_and_shows_names_as_text(tmp_path: Path):
    table = rows_of("<script>alert(1)</script>.mp4", 1)
    table.to_csv(tmp_path / "rows.csv", index=False)
    study, _ = read_study(
        StudyFiles([tmp_path / "rows.csv"]), SummaryOptions(("source",), n_resamples=50)
    )
    page = as_page(study)
    assert "&lt;script&gt;alert(1)" in page and "<script" not in page
    links = re.findall(r'(?:src|href|url)\s*[=(]\s*"?([^")\s>]+)', page)
    assert all(link.startswith("#") for link in links), "only parts of its own drawings"
    assert page.count("<svg") == 2


def test_the_page_of_nothing_says_so(tmp_path: Path):
    rows_of("a.mp4", 1).iloc[:0].to_csv(tmp_path / "rows.csv", index=False)
    study, _ = read_study(StudyFiles([tmp_path / "rows.csv"]), SummaryOptions())
    assert "No face was found." in as_page(study)


@pytest.mark.parametrize("kind", [".csv", ".jsonl"])
def test_a_recording_without_a_face_says_that_there_is_nothing(tmp_path: Path, capfd, kind: str):
    rows = rows_of("a.mp4", 1).iloc[:0]
    (tmp_path / f"rows{kind}").write_text(rows.to_csv(index=False) if kind == ".csv" else "")
    done = run_here(capfd, "fer-live", "summarize", tmp_path / f"rows{kind}")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "fer-live: no face was found; there is nothing to sum up\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("missing.csv",), "missing.csv: no such file or folder"),
        (("empty",), "holds no file of rows"),
        (("notes.txt",), "unknown kind"),
        (("broken.csv",), "broken.csv: no rows of fer-live: it has no column source"),
        (("nothing.csv",), "nothing.csv: not a file of rows: it is empty"),
        (("broken.parquet",), "broken.parquet: not a file of rows"),
        (("broken.jsonl",), "broken.jsonl: not a file of rows"),
        (("rows", "--by", "condition"), "--by condition: the rows have no such column"),
        (("rows", "--by", "condition", "--batch", "missing.csv"), "missing.csv: cannot be read"),
        (("rows", "--batch", "others.csv"), "names none of the rows' sources"),
        (("rows", "--agree", "a", "b"), "--agree a b: name two different"),
        (("rows", "--close", "0"), "not a number above 0"),
        (("rows", "--out", "summary.xlsx"), "end it in .csv or .html"),
        (("rows", "--out", "missing/summary.csv"), "does not exist"),
        (
            ("faces.jsonl", "other_model.csv"),
            "both have rows of clip.mp4, frame 0; add file to --by",
        ),
    ],
)
def test_a_mistake_is_one_line(
    study_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd, words: tuple[str, ...], says: str
):
    monkeypatch.chdir(study_folder)
    (study_folder / "empty").mkdir()
    (study_folder / "notes.txt").write_text("hello")
    (study_folder / "nothing.csv").write_text("")
    (study_folder / "broken.csv").write_text("hello\nworld\n")
    (study_folder / "broken.parquet").write_bytes(b"PAR1 hello")
    (study_folder / "broken.jsonl").write_text("hello\n")
    (study_folder / "others.csv").write_text("source\nnobody.mp4\n")
    fails(run_here(capfd, "fer-live", "summarize", *words), 2, says)


def test_a_missing_extra_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from fer_live.base import console
    from fer_live.commands import cli

    monkeypatch.setattr(console, "is_installed", lambda name: name != "pandas")
    monkeypatch.setattr(sys, "argv", ["fer-live", "summarize", "rows"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert (
        "needs pandas; in the project's folder: pip install '.[studies]'" in capsys.readouterr().err
    )


def test_persons_of_a_recording_are_groups(tmp_path: Path):
    """Faces 1 and 3 were grouped in the review; another file's rows know no persons."""
    folder, other = tmp_path / "recording", tmp_path / "other.csv"
    folder.mkdir()
    table = pd.concat(
        rows_of("camera 0", seed, 60).assign(track_id=seed, time_s=lambda t, k=seed: t.time_s + k)
        for seed in (1, 2, 3)
    ).assign(frame=range(180))
    table.to_json(folder / "faces.jsonl", orient="records", lines=True)
    rows_of("a.mp4", 4, 60).to_csv(other, index=False)
    save_persons(folder, Persons().merged([1, 3]))
    files = StudyFiles([folder, other])
    study, _ = read_study(files, SummaryOptions(by=("person",), n_resamples=50))
    seconds = {group.key["person"]: group.face_seconds for group in study.groups}
    assert seconds == pytest.approx({"1": 4.0, "2": 2.0, "": 2.0}, abs=0.1)
    (folder / "persons.json").unlink()
    with pytest.raises(InputError, match="--persons"):
        read_study(files, SummaryOptions(by=("person",)))


FORMULAS = ("=cmd|'calc'!A1.mp4", "+1", "-2", "@x", "normal.mp4")


def test_no_cell_of_a_summary_can_become_a_formula(tmp_path: Path):
    """A name that a spreadsheet would run is marked, as in the rows, and a number is not."""
    rows = pd.concat([rows_of(name, seed) for seed, name in enumerate(FORMULAS)])
    rows.assign(**{"=by": rows["source"]}).to_parquet(tmp_path / "a.parquet")
    by = ("source", "=by")
    study, _ = read_study(
        StudyFiles([tmp_path / "a.parquet"]), SummaryOptions(by=by, n_resamples=50)
    )
    table = pd.read_csv(io.StringIO(as_csv(study)))
    marked = {f"'{name}" for name in FORMULAS[:-1]} | {"normal.mp4"}
    assert list(table.columns[:2]) == ["source", "'=by"]
    assert set(table["source"]) == set(table["'=by"]) == marked
    assert table["value"].dtype == float


def test_a_name_with_the_mark_is_read_without_it(tmp_path: Path):
    """What the CSV of rows marks, in any column of text, is the same group as in other files."""
    rows = rows_of("=a.mp4", 0).assign(participant="-P1", condition="'x")
    rows.to_parquet(tmp_path / "a.parquet")
    rows.map(plain_cell).to_csv(tmp_path / "a.csv", index=False)
    by = ("source", "participant", "condition")
    for name in ("a.parquet", "a.csv"):
        study, _ = read_study(StudyFiles([tmp_path / name]), SummaryOptions(by=by, n_resamples=50))
        assert [tuple(group.key.values()) for group in study.groups] == [("=a.mp4", "-P1", "'x")]
