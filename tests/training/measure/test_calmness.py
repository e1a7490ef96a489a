import json
from pathlib import Path

import numpy as np
import pytest

from fer_live.model.assets import asset
from training.cli import main
from training.measure import calmness
from training.measure.calmness import judge, measure_calmness
from training.measure.evaluate import ONE_READING


def test_switches_delays_and_wrong_time_are_counted():
    times = np.arange(10, dtype=np.float32) / 10
    truth = np.array([0] * 4 + [1] * 6)
    late = np.array([0] * 6 + [1, 1, 0, 1])
    figures = judge([times], [truth], [late])
    assert figures == {
        "switches_a_minute": 200.0,
        "changes_a_minute": 66.7,
        "delay_s": 0.2,
        "wrong_share": 0.3,
    }
    never = judge([times], [truth], [np.zeros(10, np.int64)])
    assert never["switches_a_minute"] == 0
    assert never["delay_s"] == pytest.approx(0.5)
    assert never["wrong_share"] == 0.6
    assert judge([times], [truth], [truth])["wrong_share"] == 0


def test_the_rule_of_the_window_beats_each_frames_label_and_a_constant_one(
    public_test_faces: Path, tmp_path: Path
):
    """On clips that are cut between expressions; the real images and a model that ships."""
    path = tmp_path / "calm.json"
    with pytest.raises(SystemExit) as ended:
        import sys

        sys.argv = [
            *("fer-train", "calmness", str(asset("fer_live_int8.onnx"))),
            *("--data", f"fer2013:{public_test_faces}", "--split", "PublicTest"),
            *("--labels", "ferplus-majority", "--clips", "2", "--json", str(path)),
        ]
        main()
    assert ended.value.code in (0, None)
    rules = json.loads(path.read_text())["rules"]
    each, window = rules["the likeliest of each frame"], rules["as it comes"]
    (constant,) = [figures for name, figures in rules.items() if name.startswith("always")]
    assert window["switches_a_minute"] < each["switches_a_minute"]
    assert window["wrong_share"] < constant["wrong_share"]
    assert window["delay_s"] < 0.8
    switches = [rules[name]["switches_a_minute"] for name in ("quick", "as it comes", "calm")]
    delays = [rules[name]["delay_s"] for name in ("quick", "as it comes", "calm")]
    assert switches == sorted(switches, reverse=True)
    assert delays == sorted(delays)


def test_the_same_seed_gives_the_same_figures(
    public_test_faces: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(calmness, "_PARTS_A_CLIP", 3)
    where = {"split": "PublicTest", "rule": "ferplus-majority", "n_clips": 1}
    model, data = asset("fer_live_int8.onnx"), f"fer2013:{public_test_faces}"
    first, again, other = (
        measure_calmness(model, data, seed=seed, answers=ONE_READING, **where)  # type: ignore[arg-type]
        for seed in (3, 3, 4)
    )
    assert first == again
    assert first["rules"] != other["rules"]
