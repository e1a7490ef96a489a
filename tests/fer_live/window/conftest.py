"""A home of its own for each test, and windows that are stopped at its end."""

from pathlib import Path

import pytest

from fer_live.base.settings import Settings
from fer_live.personal.models import load_pipeline
from fer_live.session.meter import Meter
from fer_live.sources.choice import SourceChoice
from fer_live.sources.several import NamedSource
from fer_live.window.main_window import MainWindow
from tests.helpers.window import ON_CPU, Missing, Pictures


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def open_window(qtbot):
    windows = []

    def build(
        source: SourceChoice | Pictures | Missing,
        settings: Settings = ON_CPU,
        load=load_pipeline,
        *,
        also: tuple[SourceChoice | Pictures | Missing, ...] = (),
        **options,
    ) -> tuple[MainWindow, Meter]:
        meter = Meter()
        named = [NamedSource(source) for source in (source, *also)]
        window = MainWindow(named, settings, load, meter, **options)
        windows.append(window)
        qtbot.addWidget(window)
        window.show()
        return window, meter

    yield build
    for window in windows:
        window.stop()
