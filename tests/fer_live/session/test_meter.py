import time

import psutil
import pytest

from fer_live.session import meter as meter_module
from fer_live.session.meter import Meter, Samples
from tests.helpers.clocks import Clock


def test_what_a_source_counts_is_counted_for_all_of_them_too():
    meter = Meter()
    left, right = meter.of_source("left"), meter.of_source("right")
    for _ in range(3):
        left.count_captured()
    left.count_processed(2)
    left.count_failed()
    left.count_painted(time.monotonic())
    right.count_captured()
    right.count_processed(1)
    figures = meter.summary()
    assert (figures["captured"], figures["processed"], figures["painted"]) == (4, 2, 1)
    assert (figures["dropped"], figures["failed"], figures["faces"]) == (1, 1, 3)
    assert [one["source"] for one in figures["sources"]] == ["left", "right"]
    for key in ("captured", "processed", "painted", "dropped", "failed", "faces"):
        assert sum(one[key] for one in figures["sources"]) == figures[key], key
    assert figures["sources"][0]["latency_ms"]["p50"] >= 0
    assert figures["sources"][1]["latency_ms"]["p50"] is None


def test_a_meter_without_sources_has_an_empty_list():
    assert Meter().summary()["sources"] == []


def test_the_latest_values_count_and_the_oldest_give_way(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(meter_module, "_SAMPLES", 512)
    samples = Samples()
    for value in range(1000):
        samples.add(value)
    assert samples.percentiles(least=0, most=100) == {"least": 488.0, "most": 999.0}


@pytest.mark.parametrize("n", [1, 256, 257])
def test_every_value_of_a_short_session_counts(n: int):
    samples = Samples()
    for value in range(n):
        samples.add(value + 1)
    assert samples.percentiles(least=0, most=100) == {"least": 1.0, "most": float(n)}


def test_percentiles_are_told_to_a_thousandth_and_none_without_a_value():
    samples = Samples()
    assert samples.percentiles(p50=50, p95=95) == {"p50": None, "p95": None}
    for value in (1.0, 2.00049):
        samples.add(value)
    assert samples.percentiles(p50=50, max=100) == {"p50": 1.5, "max": 2.0}


def test_the_times_of_a_session_are_told_as_they_were_measured(monkeypatch: pytest.MonkeyPatch):
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock.monotonic)
    meter = Meter(990.0)
    source = meter.of_source("camera 0")
    clock.sleep(2.5)
    source.count_painted(clock.now_s - 0.04)
    clock.sleep(1.0)
    source.count_painted(clock.now_s - 0.06)
    for gap_ms in (10.0, 30.0):
        meter.add_gui_gap(gap_ms)
    figures = meter.summary()
    assert figures["first_overlay_s"] == 12.5, "of the first picture alone"
    assert figures["latency_ms"] == {"p50": 50.0, "p95": 59.0}
    assert figures["sources"][0]["latency_ms"] == figures["latency_ms"]
    assert figures["gui_gap_ms"] == {"p50": 20.0, "p99_9": 29.98, "max": 30.0}


def test_a_session_that_painted_nothing_has_no_first_picture():
    assert Meter().summary()["first_overlay_s"] is None


def test_memory_counts_from_the_first_picture_and_once_more_when_it_has_settled(
    monkeypatch: pytest.MonkeyPatch,
):
    clock, now_mb = Clock(), iter([1.0, 2.0, 3.0, 99.0])
    monkeypatch.setattr("time.monotonic", clock.monotonic)
    monkeypatch.setattr(Meter, "_rss_mb", lambda _: next(now_mb))
    meter = Meter()
    starts_mb = [meter._rss_start_mb]
    for wait_s in (5.0, 10.0, 0.1, 60.0):
        clock.sleep(wait_s)
        meter.count_painted(clock.now_s)
        starts_mb.append(meter._rss_start_mb)
    assert starts_mb == [1.0, 2.0, 2.0, 3.0, 3.0]
    assert meter.summary()["rss_mb_end"] == 99.0


def test_the_memory_is_that_of_this_process_in_mebibytes():
    rss_mb = psutil.Process().memory_info().rss / 2**20
    assert Meter()._rss_start_mb == pytest.approx(rss_mb, rel=0.1)
