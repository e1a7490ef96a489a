import json
from pathlib import Path

import pytest

from fer_live.errors import InputError
from training.cli import main
from training.measure.comparison import compare


def test_models_side_by_side_with_the_intervals_of_their_recalls(
    small_models: list[Path], learnable_tree: Path, tmp_path: Path, capsys, monkeypatch
):
    out = tmp_path / "figures.json"
    names = [str(path) for path in small_models[:2]]
    data = ["--data", f"fer2013:{learnable_tree}", "--split", "PublicTest"]
    arguments = [*names, *data, "--labels", "ferplus-majority", "--json", str(out)]
    monkeypatch.setattr("sys.argv", ["fer-train", "compare", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 0
    reports = json.loads(out.read_text())
    assert list(reports) == names
    printed = capsys.readouterr().out
    lines = [line.split("|") for line in printed.splitlines() if line.startswith("|")]
    rows = {line[1].strip(): [cell.strip() for cell in line[2:4]] for line in lines}
    assert rows["accuracy"] == [f"{report['accuracy']:.4f}" for report in reports.values()]
    report = reports[names[0]]
    label, recall = next(item for item in report["recall"].items() if item[1] is not None)
    n = sum(report["confusion"][report["labels"].index(label)])
    low, high = report["recall_interval"][label]
    assert low <= recall <= high
    expected = f"{100 * recall:.1f} ({100 * low:.1f} to {100 * high:.1f})"
    assert rows[f"recall of {label} ({n})"][0] == expected


def test_a_model_named_twice_is_refused(small_models: list[Path], learnable_tree: Path):
    twice = [small_models[0], small_models[0]]
    data = f"fer2013:{learnable_tree}"
    with pytest.raises(InputError, match="named twice"):
        compare(twice, data, split="PublicTest", rule="ferplus-argmax")
