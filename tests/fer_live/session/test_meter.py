import time

from fer_live.session.meter import Meter


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
