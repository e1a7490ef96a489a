"""Summaries of tables that were worked out by hand, and what must hold for every table."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.intervals import held_of_participants, held_of_recordings
from fer_live.errors import InputError
from fer_live.studies.agreement import agreement
from fer_live.studies.grouping import read_batch, read_markers
from fer_live.studies.study import StudyFiles, read_study
from fer_live.studies.summary import (
    BLINKS,
    EPISODE_S,
    EPISODES,
    LIKELIEST,
    ONSET_S,
    PROBABILITIES,
    SHOWN,
    SWITCHES,
    GroupSummary,
    SummaryOptions,
)
from fer_live.studies.tables import read_rows
from fer_live.studies.timing import with_durations
from fer_live.studies.written import as_object, as_table

LABELS = ("neutral", "happiness", "surprise")
QUICK = SummaryOptions(n_resamples=200)

HEAD = "source,frame,time_s,utc,track_id,x1,y1,x2,y2,detection_confidence,label,shown_label"
PROBS = {
    "neutral": (0.8, 0.1, 0.1),
    "happiness": (0.2, 0.7, 0.1),
    "surprise": (0.1, 0.3, 0.6),
}


def line(
    frame: int,
    time_s: float,
    label: str,
    shown: str,
    *,
    source: str = "a.mp4",
    track: int = 1,
    more: str = "",
) -> str:
    probs = ",".join(map(str, PROBS[label]))
    box = f"{100 * track},0,{100 * track + 50},50"
    return f"{source},{frame},{time_s},,{track},{box},0.9,{label},{shown},0.9,{probs}{more}"


def written(path: Path, lines: list[str], more: str = "") -> Path:
    head = f"{HEAD},confidence," + ",".join(f"p_{label}" for label in LABELS) + more
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def groups(path: Path | list[Path], options: SummaryOptions = QUICK, **files: Path):
    paths = path if isinstance(path, list) else [path]
    study, _ = read_study(StudyFiles(paths, **files), options)
    return {tuple(group.key.values()): group for group in study.groups}


def by(*columns: str) -> SummaryOptions:
    return SummaryOptions(by=columns, n_resamples=200)


def value(group: GroupSummary, measure: str, label: str = "") -> float:
    return group.figures[measure, label].value


@pytest.fixture
def by_hand(tmp_path: Path) -> Path:
    """Frames half a second apart, then a second, then none with a face until the last two:

    frame   0    1    2    3    4       5    .. away ..  20   21
    time_s  0.0  0.5  1.0  1.5  2.0     3.0              10.5 11.0
    shown   n    n    unsure h  h       n                h    h
    stands  0.5  0.5  0.5  0.5  1.0     0.5              0.5  0.5   together 4.5 s
    """
    return written(
        tmp_path / "hand.csv",
        [
            line(0, 0.0, "neutral", "neutral", more=",0"),
            line(1, 0.5, "neutral", "neutral", more=",1"),
            line(2, 1.0, "happiness", "", more=",1"),
            line(3, 1.5, "happiness", "happiness", more=",0"),
            line(4, 2.0, "happiness", "happiness", more=",1"),
            line(5, 3.0, "neutral", "neutral", more=","),
            line(20, 10.5, "happiness", "happiness", more=",0"),
            line(21, 11.0, "surprise", "happiness", more=",0"),
        ],
        ",blink",
    )


def test_a_table_worked_out_by_hand(by_hand: Path):
    group = groups(by_hand)[()]
    assert (group.seconds, group.face_seconds, group.n_sources) == (4.5, 4.5, 1)
    shown = {label: value(group, SHOWN, label) for label in ("", *LABELS)}
    assert shown == pytest.approx(
        {"": 0.5 / 4.5, "neutral": 1.5 / 4.5, "happiness": 2.5 / 4.5, "surprise": 0}
    )
    likeliest = {label: value(group, LIKELIEST, label) for label in LABELS}
    assert likeliest == pytest.approx(
        {"neutral": 1.5 / 4.5, "happiness": 2.5 / 4.5, "surprise": 0.5 / 4.5}
    )
    # neutral: 0.8 for 1.5 s, 0.2 for 2.5 s, 0.1 for 0.5 s
    assert value(group, PROBABILITIES, "neutral") == pytest.approx((1.2 + 0.5 + 0.05) / 4.5)
    # neutral 0 to 1 and 3 to 3.5; happiness 1.5 to 3 and 10.5 to 11.5
    assert [value(group, EPISODES, label) for label in LABELS] == [2, 2, 0]
    assert value(group, EPISODE_S, "neutral") == pytest.approx((1.0 + 0.5) / 2)
    assert value(group, EPISODE_S, "happiness") == pytest.approx((1.5 + 1.0) / 2)
    assert np.isnan(value(group, EPISODE_S, "surprise"))
    assert value(group, ONSET_S, "neutral") == 0 and value(group, ONSET_S, "happiness") == 1.5
    assert np.isnan(value(group, ONSET_S, "surprise"))
    # neutral to happiness over "unsure", and back; not over the absence
    assert value(group, SWITCHES) == pytest.approx(2 / 4.5 * 60)
    # two blinks begin in the 4.0 s in which they were measured
    assert value(group, BLINKS) == pytest.approx(2 / 4.0 * 60)


def test_a_gap_is_closed_up_to_the_time_that_is_given(tmp_path: Path):
    """Happiness is interrupted for 0.2 s: one episode with --close 0.25, two with 0.1."""
    shown = ["happiness"] * 10 + ["neutral"] * 2 + ["happiness"] * 10
    path = written(
        tmp_path / "rows.csv", [line(i, i / 10, "neutral", s) for i, s in enumerate(shown)]
    )
    for close_s, n, length_s in ((0.25, 1, 2.2), (0.1, 2, 1.0)):
        group = groups(path, SummaryOptions(close_s=close_s, n_resamples=50))[()]
        assert value(group, EPISODES, "happiness") == n
        assert value(group, EPISODE_S, "happiness") == pytest.approx(length_s)
        assert value(group, EPISODES, "neutral") == 1
        assert value(group, SHOWN, "neutral") == pytest.approx(0.2 / 2.2)


def test_every_kth_frame_and_changing_rates_do_not_bend_shares(tmp_path: Path):
    """One second neutral, one happy: at 30 a second, every 10th frame, and 30 then 5 a second."""
    even = [(i, i / 30) for i in range(60)]
    changing = [(i, i / 30) for i in range(30)] + [(30 + i, 1 + i / 5) for i in range(5)]
    for times in (even, even[::10], changing):
        rows = [(n, t, "neutral" if t < 1 - 1e-9 else "happiness") for n, t in times]
        path = written(tmp_path / "rows.csv", [line(n, t, s, s) for n, t, s in rows])
        group = groups(path)[()]
        # The last frame stands for the usual time, a thirtieth instead of a fifth at worst.
        assert value(group, SHOWN, "happiness") == pytest.approx(0.5, abs=0.05)
        assert group.seconds == pytest.approx(2, abs=0.2)


def test_two_faces_count_twice_in_shares_and_once_in_seconds(tmp_path: Path):
    rows = [line(i, i / 10, "neutral", "neutral") for i in range(10)]
    rows += [line(i, i / 10, "happiness", "happiness", track=2) for i in range(5)]
    group = groups(written(tmp_path / "rows.csv", rows))[()]
    assert (group.seconds, group.face_seconds) == pytest.approx((1.0, 1.5))
    assert value(group, SHOWN, "happiness") == pytest.approx(1 / 3)
    assert value(group, SWITCHES) == 0


def test_images_count_by_themselves(tmp_path: Path):
    rows = [line(0, 0.0, "neutral", "neutral", source=f"{i}.jpg") for i in range(3)]
    rows.append(line(0, 0.0, "happiness", "happiness", source="4.jpg"))
    group = groups(written(tmp_path / "rows.csv", rows))[()]
    assert group.is_of_stills and group.seconds == 0
    assert value(group, SHOWN, "happiness") == 0.25
    assert np.isnan(value(group, SWITCHES))


def test_a_batch_names_participants_conditions_and_ranges(tmp_path: Path):
    rows = [line(i, i / 10, "neutral", "neutral", source="videos/a.mp4") for i in range(40)]
    rows += [line(i, i / 10, "happiness", "happiness", source="videos/b.mp4") for i in range(20)]
    path = written(tmp_path / "rows.csv", rows)
    batch = tmp_path / "batch.csv"
    batch.write_text(
        "source,participant,condition,from,to\n"
        "a.mp4,007,calm,,0:02\n"
        "a.mp4,007,game,2.5,\n"
        "videos/b.mp4,008,calm,,\n"
    )
    found = groups(path, by("participant", "condition"), batch=batch)
    assert set(found) == {("", ""), ("007", "calm"), ("007", "game"), ("008", "calm")}
    assert found["007", "calm"].seconds == pytest.approx(2.0)
    assert found["007", "game"].seconds == pytest.approx(1.5)
    assert value(found["007", "game"], ONSET_S, "neutral") == 0, "from where its range begins"
    together = groups(path, by("condition"), batch=batch)["calm",]
    assert (together.n_participants, together.over) == (2, "participants")
    assert value(together, SHOWN, "happiness") == pytest.approx(0.5)


def test_markers_group_rows_and_excluded_ones_are_left_out(tmp_path: Path):
    names = ["baseline"] * 10 + ["baseline; stimulus"] * 5 + ["stimulus"] * 5 + [""] * 5
    names += ["Exclude"] * 5 + ["stimulus"] * 10
    labels = ["neutral"] * 18 + ["happiness"] * 22
    path = written(
        tmp_path / "rows.csv",
        [
            line(i, i / 10, label, label, more=f",{name}")
            for i, (name, label) in enumerate(zip(names, labels, strict=True))
        ],
        ",marker",
    )
    found = groups(path, by("marker"))
    assert {key: group.seconds for key, group in found.items()} == pytest.approx(
        {("",): 0.5, ("baseline",): 1.5, ("stimulus",): 2.0}
    )
    # Two intervals of this name: happiness 0.8 s after the first began, at once in the second.
    assert value(found["stimulus",], ONSET_S, "happiness") == pytest.approx(0.4)
    assert found["stimulus",].figures[ONSET_S, "happiness"].n == 2
    assert groups(path)[()].seconds == pytest.approx(3.5), "left out without --by marker too"


def test_markers_of_a_sidecar(tmp_path: Path):
    rows = [
        line(i, i / 10, "neutral", "neutral", source=source)
        for source in ("a.mp4", "b.mp4")
        for i in range(30)
    ]
    path = written(tmp_path / "rows.csv", rows)
    sidecar = tmp_path / "markers.csv"
    sidecar.write_text("source,marker,from,to\na.mp4,one,0,1\n,two,2,3\na.mp4,exclude,2.5,3\n")
    found = groups(path, by("marker", "source"), markers=sidecar)
    seconds = {key: round(group.seconds, 6) for key, group in found.items()}
    assert seconds == {
        ("", "a.mp4"): 1.0,
        ("", "b.mp4"): 2.0,
        ("one", "a.mp4"): 1.0,
        ("two", "a.mp4"): 0.5,
        ("two", "b.mp4"): 1.0,
    }


def test_own_expressions_leave_the_others_as_they_were(tmp_path: Path):
    """The eight share among themselves what they would without expressions of one's own."""
    eight = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
    frame = {
        "source": "a.mp4",
        "frame": range(4),
        "time_s": [0.0, 0.5, 1.0, 1.5],
        "track_id": 1,
        "label": ["neutral", "neutral", "happiness", "wink left"],
        "shown_label": ["neutral", "happiness", "happiness", "wink left"],
        **{f"p_{label}": 0.0 for label in eight},
    }
    table = pd.DataFrame(frame)
    table["p_neutral"], table["p_happiness"] = [0.6, 0.5, 0.2, 0.1], [0.2, 0.3, 0.6, 0.05]
    table["p_wink left"] = [0.2, 0.2, 0.2, 0.85]
    table.to_json(tmp_path / "rows.jsonl", orient="records", lines=True)
    group = groups(tmp_path / "rows.jsonl")[()]
    assert value(group, SHOWN, "wink left") == 0.25, "of all the time"
    assert value(group, SHOWN, "happiness") == pytest.approx(2 / 3), "of the time of the others"
    assert value(group, LIKELIEST, "neutral") == 0.75, "among the others"
    assert value(group, PROBABILITIES, "neutral") == pytest.approx(
        (0.75 + 0.625 + 0.25 + 2 / 3) / 4
    )
    assert value(group, PROBABILITIES, "wink left") == pytest.approx(1.45 / 4)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_shards_taken_together_equal_the_whole(tmp_path_factory, data: st.DataObject):
    n_sources = data.draw(st.integers(2, 5))
    kinds = data.draw(
        st.lists(st.sampled_from([".csv", ".jsonl", ".parquet"]), min_size=2, max_size=3)
    )
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    tables = []
    for number in range(n_sources):
        frames = np.flatnonzero(rng.random(40) < 0.8)
        labels = rng.choice(LABELS, len(frames))
        probs = rng.dirichlet([1, 1, 1], len(frames)).round(6)
        table = pd.DataFrame({"source": f"{number}.mp4", "frame": frames, "time_s": frames / 25})
        table = table.assign(
            track_id=1, label=labels, shown_label=rng.choice([*LABELS, ""], len(frames))
        )
        tables.append(table.assign(**{f"p_{label}": probs[:, i] for i, label in enumerate(LABELS)}))
    folder = tmp_path_factory.mktemp("shards")
    save(pd.concat(tables), folder / "whole.csv")
    shards = folder / "shards"
    shards.mkdir()
    for number, kind in enumerate(kinds):
        if mine := tables[number :: len(kinds)]:
            save(pd.concat(mine), shards / f"{number}{kind}")
    options = SummaryOptions(by=data.draw(st.sampled_from([(), ("source",)])), n_resamples=50)
    whole, parts = (
        read_study(StudyFiles([path]), options)[0] for path in (folder / "whole.csv", shards)
    )
    assert as_object(whole) == as_object(parts)


def save(table: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_parquet(path)


def test_intervals_cover_the_truth():
    """95 % intervals of shares hold the true share in about 95 % of made-up recordings, and of
    made-up studies of participants who differ; seeded, within what so few of them can tell."""
    rng = np.random.default_rng(24)
    assert 0.87 <= held_of_recordings(rng, 60, 50)["happiness"] <= 0.99
    assert 0.90 <= held_of_participants(rng, 12, 400) <= 0.985


def test_agreement_worked_out_by_hand(tmp_path: Path):
    """Ten frames. a: 5 neutral, 5 happiness; b says the same but for one frame of each."""
    a = ["neutral"] * 5 + ["happiness"] * 5
    b = ["neutral"] * 4 + ["happiness"] * 5 + ["neutral"]
    for name, labels in (("a.csv", a), ("b.csv", b)):
        lines = [line(i, i / 10, label, label) for i, label in enumerate(labels)]
        lines.append(line(10, 1.0, "surprise", "surprise", track=3 if name == "a.csv" else 2))
        if name == "b.csv":
            lines.append(line(10, 1.0, "neutral", "neutral", track=5))
        written(tmp_path / name, lines)
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    study, found = read_study(StudyFiles(paths), QUICK, [str(path) for path in paths])
    assert found is not None and [group.key for group in study.groups] == [
        {"file": "a.csv"},
        {"file": "b.csv"},
    ]
    # Of frame 10 no two boxes lie on each other, so it has no pair.
    assert (found.frames, found.pairs) == (10, 10)
    assert found.share["shown_label"].value == pytest.approx(0.8)
    assert found.kappa["shown_label"].value == pytest.approx((0.8 - 0.5) / 0.5)
    # Four frames agree on each; p_neutral is 0.8 or 0.2.
    assert found.correlation["neutral"].value == pytest.approx(0.6)
    assert found.kappa["label"].low < 0.6 < found.kappa["label"].high


def test_agreement_of_two_sources(tmp_path: Path):
    lines = [
        line(i, i / 10, "neutral" if i < 5 else "happiness", "neutral", source=source)
        for source in ("left.mp4", "right.mp4")
        for i in range(10)
    ]
    rows = read_rows([written(tmp_path / "rows.csv", lines)])
    found = agreement(
        with_durations(rows, close_s=0.25, max_gap_s=1), "left.mp4", "right.mp4", n_resamples=50
    )
    assert found.share["label"].value == 1 and found.kappa["label"].value == pytest.approx(1)
    assert np.isnan(found.kappa["shown_label"].value), "both only ever say one thing"
    with pytest.raises(InputError, match="name two different files"):
        agreement(rows, "left.mp4", "middle.mp4")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "not a file of rows"),
        ("a,b\n1,2\n", "it has no column source, frame"),
        (f"{HEAD}\na.mp4,x,0,,1,0,0,1,1,0.9,neutral,neutral\n", "it has no column p_<label>|frame"),
        (f"{HEAD},p_neutral\na.mp4,x,0,,1,0,0,1,1,0.9,neutral,neutral,1\n", "column frame"),
        (f"{HEAD},p_neutral\na.mp4,0,0,,1,0,0,1,1,0.9,neutral,neutral,1,2,3\n", "rows.csv: "),
    ],
)
def test_what_is_no_file_of_rows_is_told(tmp_path: Path, content: str, says: str):
    path = tmp_path / "rows.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=says):
        read_rows([path])


def test_rows_without_a_face_make_no_group(tmp_path: Path):
    path = written(tmp_path / "rows.csv", [])
    (tmp_path / "none.jsonl").write_text("")
    study, _ = read_study(StudyFiles([path, tmp_path / "none.jsonl"]), QUICK)
    assert study.groups == () and len(as_table(study)) == 0


def test_a_jsonl_that_a_crash_cut_is_read_to_its_last_whole_line(tmp_path: Path):
    row = {"source": "a", "frame": 0, "time_s": 0.0, "track_id": 1, "label": "neutral"}
    row |= {"shown_label": "neutral", "p_neutral": 1.0}
    whole = json.dumps(row)
    (tmp_path / "rows.jsonl").write_text(f"{whole}\n{whole[:30]}")
    assert len(read_rows([tmp_path / "rows.jsonl"])) == 1


@pytest.mark.parametrize(
    "spoilt", ['null{"source": "a"}', "null", "[]", '"text"', "1", '{"source": "a"}{"source": "b"}']
)
def test_a_jsonl_with_a_line_that_is_no_row_ends_in_one_line(tmp_path: Path, spoilt: str):
    """Arrow's own reader ended the process at the first of these."""
    whole = json.dumps({"source": "a", "frame": 0, "time_s": 0.0, "p_neutral": 1.0})
    (tmp_path / "rows.jsonl").write_text(f"{spoilt}\n{whole}\n")
    with pytest.raises(InputError, match="not a file of rows"):
        read_rows([tmp_path / "rows.jsonl"])


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
@pytest.mark.parametrize("number", [2**63, 10**30, 10**400])
def test_a_number_that_is_too_large_ends_in_one_line(tmp_path: Path, number: int, kind: str):
    row = {"source": "a", "frame": number, "time_s": 0.0, "track_id": 1, "label": "neutral"}
    row |= {"shown_label": "neutral", "p_neutral": 1.0}
    header, cells = ",".join(row), ",".join(map(str, row.values()))
    text = json.dumps(row) if kind == "jsonl" else f"{header}\n{cells}"
    path = tmp_path / f"rows.{kind}"
    path.write_text(text + "\n")
    with pytest.raises(InputError, match=r"(column frame is not made of numbers|not a file of)"):
        read_rows([path])


def test_signals_may_be_empty_in_any_kind_of_file(tmp_path: Path):
    """Where a face was not measured, JSONL may have "" or null among numbers."""
    row = {"source": "a", "time_s": 0.0, "track_id": 1, "label": "neutral", "quality": 0.5}
    row |= {"shown_label": "neutral", "p_neutral": 1.0}
    blinks: list[object] = ["", 1, None, 0]
    lines = [json.dumps({**row, "frame": i, "blink": b}) for i, b in enumerate(blinks)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "rows.csv").write_text(
        "source,frame,time_s,track_id,label,shown_label,p_neutral,blink\n"
        + "".join(
            f"a,{i},0.0,1,neutral,neutral,1,{'' if b is None else b}\n"
            for i, b in enumerate(blinks)
        )
    )
    for name in ("rows.jsonl", "rows.csv"):
        assert read_rows([tmp_path / name])["blink"].fillna(-1).tolist() == [-1, 1, -1, 0]


def test_sources_are_matched_by_the_ends_of_their_paths(tmp_path: Path):
    """As `analyze` names them that read the batch file in another folder."""
    rows = [
        line(i, i / 10, label, label, source=f"study/{who}/talk.mp4")
        for who, label in (("p1", "neutral"), ("p2", "happiness"))
        for i in range(10)
    ]
    path = written(tmp_path / "rows.csv", rows)
    batch = tmp_path / "batch.csv"
    batch.write_text("source;Participant;stimulus_order\np1/talk.mp4;P1;a\np2\\talk.mp4;P2;b\n")
    found = groups(path, by("participant", "stimulus_order"), batch=batch)
    assert set(found) == {("P1", "a"), ("P2", "b")}


def test_times_of_a_batch(tmp_path: Path):
    path = tmp_path / "batch.csv"
    path.write_text("source,from,to\na,1:30,1:00:00.5\nb,,\n")
    batch = read_batch(path)
    assert list(batch["from"]) == [90, -np.inf] and list(batch["to"]) == [3600.5, np.inf]
    (tmp_path / "markers.csv").write_text("marker,from\nx,1\n")
    with pytest.raises(InputError, match="no column to"):
        read_markers(tmp_path / "markers.csv")
