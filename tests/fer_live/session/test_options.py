"""What the command line and the settings mean for a live run."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from fer_live.base.settings import KeptSource, Settings
from fer_live.errors import InputError, ModelError
from fer_live.session import set_up as set_up_module
from fer_live.session.meter import Meter
from fer_live.session.options import LiveOptions, choose_sources, given, write_stats
from fer_live.session.reading_pace import ReadingPace
from fer_live.session.set_up import set_up
from fer_live.sources.choice import Camera
from fer_live.sources.several import NamedSource
from fer_live.vision.answers import AnswerConfig
from fer_live.vision.smoothing import SmoothingConfig
from tests.helpers.results import result


def test_what_the_command_line_leaves_open_overrides_nothing():
    assert given(LiveOptions()) == {}


def test_what_the_command_line_names_overrides_the_settings():
    options = LiveOptions(
        model=Path("a.onnx"),
        provider="cpu",
        detector="full",
        readings=1,
        prior="expressive",
        signals=False,
    )
    assert given(options) == {
        "model": "a.onnx",
        "provider": "cpu",
        "detector": "full",
        "readings": 1,
        "prior": "expressive",
        "signals": False,
    }


def test_named_sources_go_before_those_that_were_kept():
    wanted = NamedSource(Camera(3))
    settings = Settings(sources=(KeptSource(camera=1), KeptSource(camera=2)))
    assert choose_sources(LiveOptions(sources=[wanted]), settings) == [wanted]


def test_without_a_named_source_those_of_the_last_window_are_read():
    settings = Settings(
        camera=5, sources=(KeptSource(camera=1, device="left"), KeptSource(camera=2, name="b"))
    )
    assert choose_sources(LiveOptions(), settings) == [
        NamedSource(Camera(1, device="left")),
        NamedSource(Camera(2), "b"),
    ]


def test_without_any_source_the_last_camera_is_read_and_found_by_its_name():
    settings = Settings(camera=4, camera_name="C920")
    assert choose_sources(LiveOptions(), settings) == [NamedSource(Camera(4, device="C920"))]


def test_one_camera_twice_is_refused_by_its_number():
    twice = [NamedSource(Camera(3), "a"), NamedSource(Camera(3), "b")]
    with pytest.raises(InputError, match=r"^camera 3: a camera can be opened once only$"):
        choose_sources(LiveOptions(sources=twice), Settings())


def test_the_figures_of_a_run_name_what_read_it(tmp_path: Path):
    pipeline = SimpleNamespace(
        classifier=SimpleNamespace(provider="cuda", name="small"),
        detector=SimpleNamespace(name="full"),
    )
    write_stats(tmp_path / "s.json", Meter(), pipeline)  # type: ignore[arg-type]
    text = (tmp_path / "s.json").read_text()
    figures = json.loads(text)
    named = {name: figures[name] for name in ("provider", "detector", "model")}
    assert named == {"provider": "cuda", "detector": "full", "model": "small"}
    assert text == json.dumps(figures, indent=2) + "\n"
    assert figures["captured"] == 0


def test_the_figures_of_a_run_without_a_model_name_none(tmp_path: Path):
    write_stats(tmp_path / "s.json", Meter(), None)
    figures = json.loads((tmp_path / "s.json").read_text())
    assert [figures[name] for name in ("provider", "detector", "model")] == [None] * 3


class Running:
    """What `set_up` sets; it knows one prior."""

    def __init__(self, prior: str = "everyday") -> None:
        self._prior = prior
        self._answers: AnswerConfig | None = None

    @property
    def answers(self) -> AnswerConfig | None:
        return self._answers

    @answers.setter
    def answers(self, wanted: AnswerConfig) -> None:
        if wanted.prior != self._prior:
            raise ModelError("no such prior")
        self._answers = wanted


def test_a_running_pipeline_gets_every_setting_that_it_can_change():
    pipeline = Running("expressive")
    settings = Settings(calm=0.9, show_heat_map=True, signals=True, readings=1, prior="expressive")
    assert set_up(pipeline, settings) == ""  # type: ignore[arg-type]
    assert vars(pipeline) == {
        "_prior": "expressive",
        "_answers": AnswerConfig(1, "expressive"),
        "smoothing": SmoothingConfig.from_calm(0.9),
        "with_heat_map": True,
        "with_signals": True,
        "signals_budget": 0.35,
    }


def test_a_face_is_read_twice_unless_chosen_otherwise():
    pipeline = Running()
    set_up(pipeline, Settings())  # type: ignore[arg-type]
    assert pipeline.answers == AnswerConfig(2, "everyday")


def test_several_sources_share_the_time_for_the_signals():
    pipeline = Running()
    set_up(pipeline, Settings(), 4)  # type: ignore[arg-type]
    assert vars(pipeline)["signals_budget"] == set_up_module._SIGNALS_BUDGET / 4


def test_a_prior_that_the_model_has_not_is_told_and_the_readings_stay():
    pipeline = Running()
    told = set_up(pipeline, Settings(prior="expressive", readings=1))  # type: ignore[arg-type]
    assert told == "This model knows no other prior than everyday"
    assert pipeline.answers == AnswerConfig(1, "everyday")


def paced(pace: ReadingPace, *times_ms: float, n_faces: int = 1) -> bool:
    """What the last of these frames made of it."""
    for time_ms in times_ms:
        shown = result(0, 0.0, n_faces=n_faces)
        shown.timings_ms["classify"] = time_ms
        told = pace.is_too_slow(shown)
    return told


def test_sixty_slow_frames_are_too_slow_and_fewer_are_not():
    pace = ReadingPace()
    assert not paced(pace, *[15.1] * 59)
    assert paced(pace, 15.1)
    assert pace.was_too_slow


def test_the_limit_itself_is_not_too_slow():
    assert not paced(ReadingPace(), *[15.0] * 60)


def test_some_long_pauses_are_not_too_slow():
    assert not paced(ReadingPace(), *[1.0] * 31, *[500.0] * 29)


def test_frames_without_a_face_do_not_count():
    pace = ReadingPace()
    assert not paced(pace, *[100.0] * 60, n_faces=0)
    assert not paced(pace, *[1.0] * 60)


def test_once_told_it_stays_until_another_model_reads():
    pace = ReadingPace()
    paced(pace, *[20.0] * 60)
    assert paced(pace, *[1.0] * 60)
    pace.start_over()
    assert not pace.was_too_slow
    assert not paced(pace, *[20.0] * 59)
