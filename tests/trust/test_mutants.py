"""The table of faults that the tests find."""

import json
from pathlib import Path

from tests.trust.mutants import all_mutants, drawn, rows


def test_what_was_not_tried_does_not_count_and_what_no_test_calls_was_not_found(tmp_path: Path):
    kept = {
        "a": {"app.vision.x__1": 1, "app.vision.x__2": 0},
        "b": {"app.outputs.y__1": 33, "app.outputs.y__2": -24, "app.outputs.z__1": None},
    }
    for name, codes in kept.items():
        (tmp_path / f"{name}.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    of = {row["code"]: row for row in rows(all_mutants(tmp_path))}
    vision, outputs, whole = of["app.vision"], of["app.outputs"], of["all"]
    assert (vision["tried"], vision["found"], vision["not found"]) == (2, 1, 1)
    assert (outputs["tried"], outputs["found"], outputs["no test calls it"]) == (2, 1, 1)
    assert (whole["tried"], whole["found"]) == (4, 2)


def test_the_sample_is_the_same_every_time_and_spread_over_all():
    names = dict.fromkeys((f"app.part{i % 4}.f__{i}" for i in range(1000)), None)
    sample = drawn(names, 100, 0)
    assert sample == drawn(dict(reversed(names.items())), 100, 0)
    assert sample != drawn(names, 100, 1)
    assert len(set(sample)) == 100 and {name.split(".")[1] for name in sample} == {
        f"part{i}" for i in range(4)
    }
