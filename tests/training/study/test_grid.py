import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from fer_live.base.cores import usable_cores
from fer_live.errors import DataError, InputError
from fer_live.model.manifest import CropGeometry, Manifest
from tests.helpers.forked import fork_context
from tests.helpers.here import run_here
from training.models.checkpoint import architecture, build_network, load_model, save_model
from training.study.cells import Cell, cells_of, chosen_cells, load_grid, start_name
from training.study.grid import _in_order, _result_of, list_cells, run_grid
from training.study.report import write_report
from training.study.worker import run_start

N_CORES = usable_cores()

GRID = """
title = "A small grid"
budgets = [0.25, 0.5]
seeds = [1, 2]

[base.data]
source = "fer2013:{folder}"
[base.model]
width = 8
blocks = 1
[base.schedule]
passes = 2
batch_size = 8
unlabeled_batch_size = 16
learning_rate = 0.05
ema_decay = 0.9
warmup = 0.1

[start.schedule]
passes = 3
unlabeled_batch_size = 0

[[rows]]
name = "supervised"
method = "supervised"

[[rows]]
name = "all_labels"
title = "supervised, all labels"
method = "supervised"
budgets = [1.0]

[[rows]]
name = "dta_snl"
title = "DTA + SNL"
method = "dta_snl"
settings.options = {{tau_min = 0.3, ceiling = 0.3}}
"""


@pytest.fixture
def grid_file(learnable_tree: Path, tmp_path: Path) -> Path:
    path = tmp_path / "grid.toml"
    path.write_text(GRID.format(folder=learnable_tree.as_posix()))
    return path


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker takes every core; two threads of it mostly wait for each other in so small runs."""
    monkeypatch.setattr("training.study.grid.usable_cores", lambda: 1)


@pytest.fixture
def quick_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that need not load torch, where it does not matter how they are started."""
    starting = SimpleNamespace(get_context=lambda _: fork_context())
    monkeypatch.setattr("training.study.grid.multiprocessing", starting)


QUARTER = ("supervised", "dta_snl")
"""The two cells of a small grid that begin from one start."""


def small(grid_file: Path) -> Path:
    """One seed and one budget: three cells."""
    text = grid_file.read_text().replace("[0.25, 0.5]", "[0.25]").replace("[1, 2]", "[1]")
    grid_file.write_text(text)
    return grid_file


def test_cells_are_rows_times_budgets_times_seeds(grid_file: Path):
    cells = cells_of(load_grid(grid_file))
    assert len(cells) == 2 * (2 + 1 + 2)
    assert [cell.seed for cell in cells] == [1] * 5 + [2] * 5, "whole columns first"
    named = {cell.name: cell for cell in cells}
    ours = named["dta_snl_0.25_2"]
    assert ours.config.run.seed == 2
    assert ours.config.data.labeled_share == 0.25
    assert ours.config.options.tau_min == 0.3
    assert ours.config.schedule.passes == 2
    assert ours.start.run.method == "supervised"
    assert ours.start.schedule.passes == 3


def test_a_row_may_have_seeds_of_its_own(grid_file: Path):
    text = grid_file.read_text().replace("budgets = [1.0]", "budgets = [1.0]\nseeds = [2, 5]")
    grid_file.write_text(text)
    cells = cells_of(load_grid(grid_file))
    assert [cell.seed for cell in cells] == [1] * 4 + [2] * 5 + [5]
    assert [cell.seed for cell in cells if cell.row == "all_labels"] == [2, 5]


def test_all_rows_of_a_budget_and_seed_share_their_start(grid_file: Path):
    named = {cell.name: cell for cell in cells_of(load_grid(grid_file))}
    assert named["dta_snl_0.25_1"].start == named["supervised_0.25_1"].start
    assert named["dta_snl_0.25_1"].start != named["dta_snl_0.25_2"].start
    assert named["dta_snl_0.25_1"].start != named["dta_snl_0.5_1"].start


def test_cells_follow_their_start(grid_file: Path):
    """So that an interrupted grid leaves few starts behind whose cells are missing."""
    cells = cells_of(load_grid(grid_file))
    tasks = _in_order(cells, missing=cells)
    names = [task.name if isinstance(task, Cell) else "start" for task in tasks]
    assert names[:8] == [
        *("start", "supervised_0.25_1", "dta_snl_0.25_1"),
        *("start", "supervised_0.5_1", "dta_snl_0.5_1"),
        *("start", "all_labels_1_1"),
    ]
    assert names[8:] == [name.replace("_1", "_2") for name in names[:7]] + ["all_labels_1_2"]


def test_a_grid_that_goes_on_finishes_the_cells_of_its_start_first(grid_file: Path):
    """Not those of the first row, whose cell of that start is there already."""
    cells = cells_of(load_grid(grid_file))
    missing = [cell for cell in cells if cell.name != "supervised_0.25_1"]
    tasks = _in_order(cells, missing)
    assert tasks[0] == next(c for c in cells if c.name == "dta_snl_0.25_1").start
    names = [task.name if isinstance(task, Cell) else "start" for task in tasks]
    assert names[:3] == ["start", "dta_snl_0.25_1", "start"]


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ([], 10),
        (["all_labels"], ["all_labels_1_1", "all_labels_1_2"]),
        (["dta_snl/0.5"], ["dta_snl_0.5_1", "dta_snl_0.5_2"]),
        (["dta_snl/0.50/2", "all_labels/1/1"], ["all_labels_1_1", "dta_snl_0.5_2"]),
    ],
)
def test_cells_are_named_by_row_budget_and_seed(
    grid_file: Path, only: list[str], names: list[str] | int
):
    chosen = [cell.name for cell in chosen_cells(cells_of(load_grid(grid_file)), only)]
    assert len(chosen) == names if isinstance(names, int) else chosen == names


@pytest.mark.parametrize(
    ("only", "says"),
    [
        ("fixmatch", "--only fixmatch: no cell is called so"),
        ("dta_snl/0.1", "no cell is called so"),
        ("dta_snl/0.5/9", "no cell is called so"),
        ("dta_snl/half", "write it as ROW, ROW/BUDGET or ROW/BUDGET/SEED"),
    ],
)
def test_a_name_of_no_cell_is_refused(grid_file: Path, only: str, says: str):
    with pytest.raises(InputError, match=says):
        chosen_cells(cells_of(load_grid(grid_file)), [only])


def test_a_task_of_an_array_job_makes_one_cell(
    run_cli: Callable[..., subprocess.CompletedProcess[str]],
    grid_file: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
):
    """As in docs/cluster.md: a missing cell of the list, by a command of its own."""
    small(grid_file)
    base = ("grid", "--config", grid_file, "--out", tmp_path / "out", "--runs", tmp_path / "runs")
    states = run_here(capfd, "fer-train", *base, "--list").stdout.splitlines()
    missing = [line.split("\t")[0] for line in states if line.endswith("missing")]
    assert missing == ["supervised/0.25/1", "all_labels/1/1", "dta_snl/0.25/1"]
    done = run_cli("fer-train", *base, "--only", missing[1], "--jobs", N_CORES)
    assert done.returncode == 0, done.stderr
    states = [finished for _, finished in list_cells(grid_file, tmp_path / "out")]
    assert states == [False, True, False]


def test_a_list_is_of_the_cells_that_are_named(grid_file: Path, tmp_path: Path):
    listed = list_cells(grid_file, tmp_path, ["dta_snl/0.5"])
    assert [cell.address for cell, _ in listed] == ["dta_snl/0.5/1", "dta_snl/0.5/2"]
    with pytest.raises(InputError, match="no cell is called so"):
        list_cells(grid_file, tmp_path, ["nonsense"])


def test_a_row_may_begin_from_random_weights(grid_file: Path):
    text = grid_file.read_text().replace("budgets = [1.0]", "budgets = [1.0]\nfrom_start = false")
    grid_file.write_text(text)
    starts = {cell.row: cell.start for cell in cells_of(load_grid(grid_file))}
    assert starts["all_labels"] is None and starts["supervised"] is not None


@pytest.mark.usefixtures("quick_workers")
def test_a_grid_is_finished_once_and_not_run_twice(
    grid_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    out, runs = tmp_path / "out", tmp_path / "runs"
    assert run_grid(small(grid_file), out, runs, jobs=2, data=None) == 0
    files = sorted(file.name for file in (out / "cells").iterdir())
    assert files == ["all_labels_1_1.json", "dta_snl_0.25_1.json", "supervised_0.25_1.json"]
    cell = json.loads((out / "cells/dta_snl_0.25_1.json").read_text())
    wanted = ["method", "budget", "seed", "network", "passes", "split", "rule", "metrics"]
    wanted += ["wall_s", "device", "precision", "commit"]
    assert set(wanted) <= set(cell)
    assert (cell["split"], cell["rule"]) == ("PublicTest", "ferplus-argmax")
    assert cell["config"]["options"]["tau_min"] == 0.3
    assert str(runs) not in json.dumps(cell), "no path of this machine"
    assert cell["metrics"]["n"] == 32
    # 96 images, a quarter of them labeled: 3 passes of batches of 8, then 2 of 8 beside 16.
    start = cell["start"]
    assert (start["steps"], start["labeled_images_seen"]) == (9, 72)
    assert start["wall_s"] > 0 and cell["wall_s"] > 0
    assert not list((out / "starts").iterdir()), "no cell needs them any more"
    before = (out / "cells/dta_snl_0.25_1.json").stat().st_mtime_ns
    (out / "cells/supervised_0.25_1.json").unlink()
    capfd.readouterr()
    assert run_grid(grid_file, out, runs, jobs=1, data=None) == 0
    assert "3 cells, 2 of them finished" in capfd.readouterr().out
    assert (out / "cells/dta_snl_0.25_1.json").stat().st_mtime_ns == before
    assert (out / "cells/supervised_0.25_1.json").is_file()

    page = write_report(out).read_text()
    assert "3 of 3 cells are finished" in page
    assert "| DTA + SNL |" in page
    accuracy = json.loads((out / "cells/all_labels_1_1.json").read_text())["metrics"]["accuracy"]
    assert f"| supervised, all labels |  | {100 * accuracy:.1f} |" in page
    for plot in ("accuracy", "kept_right", "complementary_share", "thresholds", "confusion"):
        assert (out / f"{plot}.svg").is_file() and f"({plot}.svg)" in page
    (out / "cells/all_labels_1_1.json").unlink()
    page = write_report(out).read_text()
    assert "2 of 3 cells are finished" in page
    assert "| supervised, all labels |  | missing |" in page
    first = {file.name: file.read_bytes() for file in out.glob("*.svg")}
    write_report(out)
    assert first == {file.name: file.read_bytes() for file in out.glob("*.svg")}


@pytest.mark.usefixtures("quick_workers")
def test_cells_of_other_images_are_not_mixed(
    grid_file: Path, learnable_tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    out, runs = tmp_path / "out", tmp_path / "runs"
    only = ["all_labels"]
    assert run_grid(small(grid_file), out, runs, jobs=1, data=None, only=only) == 0
    other = tmp_path / "other"
    shutil.copytree(learnable_tree, other)
    same = f"fer2013:{other.as_posix()}"
    assert run_grid(grid_file, out, runs, jobs=1, data=same, only=only) == 0
    rows = (other / "fer2013.csv").read_text().splitlines()
    rows[1], rows[2] = rows[2], rows[1]
    (other / "fer2013.csv").write_text("\n".join(rows) + "\n")
    for others in ([], ["supervised"]):  # the finished cell itself need not be asked for
        with pytest.raises(InputError, match=r"all_labels_1_1\.json: was made from other images"):
            run_grid(grid_file, out, runs, jobs=1, data=same, only=others)
    with pytest.raises(DataError, match="nowhere: no such folder"):
        run_grid(grid_file, out, runs, jobs=1, data="folder:nowhere")
    file = out / "cells/all_labels_1_1.json"
    cell = json.loads(file.read_text())
    del cell["data_identity"]  # as an older version wrote it
    file.write_text(json.dumps(cell))
    capfd.readouterr()
    assert run_grid(grid_file, out, runs, jobs=1, data=same, only=only) == 0
    assert "1 finished cells do not say which images" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("settings.run = {seed = 5}", "row dta_snl: settings.run.seed has no effect"),
        ("settings.data = {labeled_share = 0.3}", "labeled_share has no effect in a grid; write b"),
    ],
)
def test_a_setting_that_the_grid_sets_itself_is_refused(grid_file: Path, line: str, says: str):
    grid_file.write_text(f"{grid_file.read_text()}{line}\n")
    with pytest.raises(InputError, match=says):
        load_grid(grid_file)


def test_workers_end_with_a_killed_grid(grid_file: Path, tmp_path: Path):
    """Else they would write into the runs of the grid that is started next."""
    text = small(grid_file).read_text()
    grid_file.write_text(text.replace("passes = 2", "passes = 10000"))
    arguments = ["--config", grid_file, "--out", tmp_path / "out", "--jobs", "2"]
    grid = subprocess.Popen(
        [sys.executable, "-m", "training.cli", "grid", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        cells = [tmp_path / f"out/runs/{name}_1" for name in ("supervised_0.25", "dta_snl_0.25")]
        wait_until(lambda: any((cell / "log.jsonl").is_file() for cell in cells), 240)
        workers = psutil.Process(grid.pid).children(recursive=True)
        assert workers
    finally:
        grid.kill()
        grid.wait()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive


def wait_until(happened: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


@pytest.mark.usefixtures("quick_workers")
def test_a_failing_cell_does_not_stop_the_others(
    grid_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    text = small(grid_file).read_text()
    grid_file.write_text(text.replace('name = "dta_snl"', 'name = "dta_snl"\nbudgets = [1.0]'))
    assert run_grid(grid_file, tmp_path / "out", tmp_path / "runs", jobs=1, data=None) == 1
    assert len(list((tmp_path / "out/cells").iterdir())) == 2
    assert "dta_snl_1_1: dta_snl needs unlabeled images" in capfd.readouterr().err


@pytest.mark.usefixtures("quick_workers")
def test_a_failing_start_takes_only_its_own_cells_along(
    grid_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """4 of 96 images are one labeled image a class: too few for the start's batches of 8."""
    text = small(grid_file).read_text().replace("budgets = [0.25]", "budgets = [0.04]")
    grid_file.write_text(text)
    assert run_grid(grid_file, tmp_path / "out", tmp_path / "runs", jobs=1, data=None) == 2
    assert [f.name for f in (tmp_path / "out/cells").iterdir()] == ["all_labels_1_1.json"]
    said = capfd.readouterr().err
    assert "supervised_0.04_1: " in said and "fewer than one batch" in said


@pytest.mark.usefixtures("quick_workers")
def test_a_grid_goes_on_elsewhere_from_the_very_same_start(grid_file: Path, tmp_path: Path):
    out = tmp_path / "out"
    quarter = partial(run_grid, small(grid_file), out, jobs=1, data=None, only=QUARTER)
    assert quarter(tmp_path / "here") == 0
    cells = cells_of(load_grid(grid_file))
    (out / "cells/dta_snl_0.25_1.json").rename(tmp_path / "first.json")
    # What an interruption before that cell would have left.
    (start,) = {start_name(cell.start) for cell in cells if cell.budget == 0.25}
    network, manifest = load_model(tmp_path / "here" / start)
    made_by = next(cell.start for cell in cells if cell.budget == 0.25).model_dump(mode="json")
    took = {"steps": 9, "labeled_images_seen": 72, "wall_s": 1.5, "config": made_by}
    kept = out / f"starts/{start}.safetensors"
    save_model(kept, network, manifest.model_copy(update={"training": took}))
    assert quarter(tmp_path / "elsewhere") == 0
    assert not (tmp_path / "elsewhere" / start).exists(), "not trained again"
    first, again = (
        json.loads(file.read_text())
        for file in (tmp_path / "first.json", out / "cells/dta_snl_0.25_1.json")
    )
    assert again["start"]["wall_s"] == 1.5
    assert [line["loss"] for line in again["log"]] == [line["loss"] for line in first["log"]]
    assert not kept.exists()


@pytest.mark.parametrize("change", [{"model": {"dropout": 0.5}}, None])
def test_a_start_of_other_settings_is_not_taken(
    change: dict[str, dict[str, float]] | None, grid_file: Path, tmp_path: Path
):
    """Its name leaves defaults out, which may change."""
    cell = next(cell for cell in cells_of(load_grid(grid_file)) if cell.start)
    made_by = cell.start.model_dump(mode="json")
    training = {"config": made_by | change} if change else {}
    network = build_network(cell.start.model, 2)
    manifest = Manifest(
        labels=("a", "b"),
        input_side=48,
        crop=CropGeometry(),
        architecture=architecture(cell.start.model),
        training=training,
    )
    weights = tmp_path / "starts" / f"{start_name(cell.start)}.safetensors"
    weights.parent.mkdir()
    save_model(weights, network, manifest)
    with pytest.raises(InputError, match="was made by another config; delete it"):
        run_start(cell.start, tmp_path, tmp_path / "runs", None)


@pytest.mark.usefixtures("quick_workers")
def test_a_start_on_other_data_is_not_taken(
    grid_file: Path, tmp_path: Path, learnable_tree: Path, capfd: pytest.CaptureFixture[str]
):
    runs = tmp_path / "runs"
    quarter = partial(run_grid, small(grid_file), runs=runs, jobs=1, only=QUARTER)
    assert quarter(tmp_path / "one", data=None) == 0
    other = f"fer2013:{learnable_tree}/."
    assert quarter(tmp_path / "two", data=other) == 2
    assert "was started with another config" in capfd.readouterr().err


def test_all_rows_of_a_budget_and_seed_start_from_the_same_weights():
    """But for rows of another network, which cannot."""
    small_grid = Path("training/grids/small.toml")
    starts: dict[tuple[float, int, str], set[str]] = {}
    for cell in cells_of(load_grid(small_grid)):
        key = (cell.budget, cell.seed, str(cell.config.model))
        starts.setdefault(key, set()).add(str(cell.start))
    assert all(len(of_key) == 1 for of_key in starts.values())


def test_tuning_is_of_what_is_reported():
    """The same base and start, but for the images measured on and the length."""
    grids = [
        load_grid(Path(f"training/grids/{name}.toml")) for name in ("small", "tuning", "search")
    ]
    for grid in grids:
        grid.base["data"] = {k: v for k, v in grid.base["data"].items() if "evaluation" not in k}
        del grid.base["schedule"]["passes"], grid.start["schedule"]["steps"]
    assert grids[0].base == grids[1].base == grids[2].base
    assert grids[0].start == grids[1].start == grids[2].start


TUNED_AS = {
    "supervised": "sup",
    "supervised_all": "sup",
    "plain_supervised": "sup",
    "attention_supervised": "sup",
    "fixmatch": "fixmatch",
    "freematch": "freematch",
    "adacm": "adacm",
    "dta": "dta",
    "snl": "snl",
    "dta_snl": "dta_snl",
    "plain_dta_snl": "dta_snl",
    "attention_dta_snl": "dta_snl",
}


ONE_METHOD = ("dta", "snl", "dta_snl")
"""Halves and whole are tuned together, so that they differ in what is switched off alone."""


@pytest.mark.parametrize("name", TUNED_AS)
def test_every_row_has_the_settings_that_tuned_best(name: str):
    """As far as the tuning's cells are there; until then, one of the settings that it tries."""
    (row,) = [row for row in load_grid(Path("training/grids/small.toml")).rows if row.name == name]
    used = {key: row.settings[key] for key in ("options", "schedule") if key in row.settings}
    tuned_as = TUNED_AS[name]
    tuning = {row.name: row for row in load_grid(Path("training/grids/tuning.toml")).rows}
    tried = [tuning[f"{tuned_as}_{number}"].settings for number in (1, 2)]
    assert used in tried
    together = ONE_METHOD if tuned_as in ONE_METHOD else (tuned_as,)
    files = [
        [Path(f"docs/results/tuning/cells/{other}_{number}_0.1_0.json") for other in together]
        for number in (1, 2)
    ]
    if all(file.is_file() for of_number in files for file in of_number):
        accuracies = [
            sum(json.loads(file.read_text())["metrics"]["accuracy"] for file in of_number)
            for of_number in files
        ]
        assert used == tried[accuracies.index(max(accuracies))]


def test_the_larger_network_has_the_same_options():
    small_rows, rows = (
        {row.name: row for row in load_grid(Path(f"training/grids/{name}.toml")).rows}
        for name in ("small", "released")
    )
    for name, row in rows.items():
        assert row.settings.get("options") == small_rows[name].settings.get("options")


def test_every_method_was_tuned_as_often():
    tuning = load_grid(Path("training/grids/tuning.toml"))
    rows: dict[str, int] = {}
    for row in tuning.rows:
        name = row.name.rpartition("_")[0]
        rows[name] = rows.get(name, 0) + 1
    assert set(rows.values()) == {2}
    assert set(rows) == {"sup", "fixmatch", "freematch", "adacm", "dta", "snl", "dta_snl"}


def test_a_cell_of_another_config_is_not_taken_for_this_one(grid_file: Path, tmp_path: Path):
    out = tmp_path / "out"
    cell = next(c for c in cells_of(load_grid(grid_file)) if c.name == "supervised_0.25_1")
    config = cell.config.model_dump(mode="json")
    start = {"config": cell.start.model_dump(mode="json")}
    config["schedule"]["passes"] = 9
    (out / "cells").mkdir(parents=True)
    (out / "cells/supervised_0.25_1.json").write_text(
        json.dumps({"config": config, "start": start})
    )
    with pytest.raises(InputError, match="was made by another config"):
        run_grid(grid_file, out, tmp_path / "runs", jobs=1, data=None)


def test_a_cell_from_before_a_field_existed_is_still_finished(grid_file: Path, tmp_path: Path):
    cell = cells_of(load_grid(grid_file))[0]
    config = cell.config.model_dump(mode="json")
    start = {"config": cell.start.model_dump(mode="json")}
    del config["model"]["attention_stage"]
    (tmp_path / "cells").mkdir()
    (tmp_path / f"cells/{cell.name}.json").write_text(
        json.dumps({"config": config, "start": start})
    )
    assert _result_of(tmp_path, cell) is not None


def test_a_cell_from_another_machine_is_still_finished(grid_file: Path, tmp_path: Path):
    cell = cells_of(load_grid(grid_file))[0]
    config = cell.config.model_dump(mode="json")
    start = {"config": cell.start.model_dump(mode="json")}
    config["run"] |= {"device": "cuda", "precision": "bf16", "checkpoint_every_s": 7.0}
    (tmp_path / "cells").mkdir()
    file = tmp_path / f"cells/{cell.name}.json"
    file.write_text(json.dumps({"config": config, "start": start}))
    assert _result_of(tmp_path, cell) is not None
    start["config"]["schedule"]["passes"] = 9
    file.write_text(json.dumps({"config": config, "start": start}))
    with pytest.raises(InputError, match="its start was made by another config"):
        _result_of(tmp_path, cell)
    config["schedule"]["passes"] = 9
    file.write_text(json.dumps({"config": config, "start": start}))
    with pytest.raises(InputError, match=r"it differs in .*schedule\.passes"):
        _result_of(tmp_path, cell)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('title = "A small grid"', "", "title: it is missing"),
        ('name = "all_labels"', 'name = "dta_snl"', "two rows have one name"),
        ('method = "dta_snl"', 'method = "mixup"', "row dta_snl: run.method 'mixup'"),
        ("passes = 2", "pases = 2", "row supervised: schedule.pases"),
        ("tau_min = 0.3", "tau = 0.3", "options.tau of dta_snl"),
        ("[base.data]", "[base.data", "not a TOML file"),
        ("seeds = [1, 2]", "seeds = [1, 1]", "a seed or a budget is named twice"),
        ("seeds = [1, 2]", "seeds = []", "seeds: expected one at least"),
        ("budgets = [1.0]", "seeds = [3, 3]", "a seed or a budget is named twice"),
        ('title = "DTA + SNL"', 'title = "supervised"', "two rows have one title"),
        ("[base.data]", '[base.data]\nlabeled_list = "a.json"', "would hide the budgets"),
        (
            "seeds = [1, 2]",
            'seeds = [1, 2]\ncomparisons = [["dta_snl/0.5", "all_labels/0.5"]]',
            "comparisons: the grid has no all_labels/0.5",
        ),
    ],
)
def test_a_faulty_grid_is_named_before_anything_runs(
    grid_file: Path, old: str, new: str, says: str
):
    grid_file.write_text(grid_file.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=says):
        load_grid(grid_file)


def test_a_report_needs_a_grid_with_results(tmp_path: Path, grid_file: Path):
    with pytest.raises(InputError, match="cannot read the grid"):
        write_report(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no finished cell"):
        write_report(grid_file.parent)
    (tmp_path / "cells").mkdir()
    for text in ("{}", "[]", "3", "{", '{"config": "x", "start": {"config": null}}'):
        (tmp_path / "cells/supervised_0.25_1.json").write_text(text)
        with pytest.raises(InputError, match="not a result"):
            write_report(tmp_path)
        with pytest.raises(InputError, match="not a result"):
            run_grid(grid_file, tmp_path, tmp_path / "runs", jobs=1, data=None)


def test_results_cannot_go_below_a_file(grid_file: Path, tmp_path: Path):
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="cannot make this folder"):
        run_grid(grid_file, tmp_path / "out", tmp_path / "runs", jobs=1, data=None)


@pytest.mark.parametrize("path", sorted(Path("training/grids").glob("*.toml")), ids=str)
def test_the_ready_grids_are_whole(path: Path):
    cells = cells_of(load_grid(path))
    assert len({cell.name for cell in cells}) == len(cells) > 0
    tuned_on = [cell.config.data.evaluation_only for cell in cells]
    reported_on = [cell.config.data.evaluation_without for cell in cells]
    assert all(bool(a) != bool(b) for a, b in zip(tuned_on, reported_on, strict=True))
    assert all((0 in {cell.seed}) == bool(cell.config.data.evaluation_only) for cell in cells)
