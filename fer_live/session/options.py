"""The command line of the live app, and the sources that it and the settings name."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fer_live.base.atomic_file import write_atomically
from fer_live.base.settings import Settings
from fer_live.datatypes import DetectorMode, Provider
from fer_live.outputs.registry import Outputs
from fer_live.session.meter import Meter
from fer_live.sources.choice import Camera, Location
from fer_live.sources.several import NamedSource, kept_sources, refuse_one_camera_twice
from fer_live.vision.answers import Readings
from fer_live.vision.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """The command line of `fer-live`. None, or no source: as the person chose last."""

    sources: Sequence[NamedSource] = ()
    model: Path | None = None
    provider: Provider | None = None
    detector: DetectorMode | None = None
    readings: Readings | None = None
    prior: str | None = None
    signals: bool | None = None
    outputs: Outputs = field(default_factory=dict)
    marker_inputs: dict[str, str] = field(default_factory=dict)
    duration_s: float | None = None
    stats: Path | None = None


def choose_sources(options: LiveOptions, settings: Settings) -> list[NamedSource]:
    """The sources that the options name; without one, those that were used last.

    Raises `InputError` where one camera is named twice, and for a file that cannot be read.
    """
    sources = list(options.sources) or kept_sources(settings)
    if not sources:
        return [NamedSource(Camera(settings.camera, device=settings.camera_name))]
    if options.sources:
        refuse_one_camera_twice([source.choice for source in sources])
        _check_files(sources)
    return sources


def given(options: LiveOptions) -> dict[str, object]:
    """The settings that the command line overrides, for this run alone."""
    named = {
        "model": options.model and str(options.model),
        "provider": options.provider,
        "detector": options.detector,
        "readings": options.readings,
        "prior": options.prior,
        "signals": options.signals,
    }
    return {name: value for name, value in named.items() if value is not None}


def write_stats(path: Path, meter: Meter, pipeline: Pipeline | None) -> None:
    """Write the session's figures as one JSON object."""
    figures = meter.summary()
    figures["provider"] = pipeline.classifier.provider if pipeline else None
    figures["detector"] = pipeline.detector.name if pipeline else None
    figures["model"] = pipeline.classifier.name if pipeline else None
    write_atomically(path, json.dumps(figures, indent=2).encode() + b"\n")


def _check_files(sources: Sequence[NamedSource]) -> None:
    """Find a mistyped name before a window flashes up."""
    from fer_live.sources.open import is_url, open_live_source

    for source in sources:
        if isinstance(source.choice, Location) and not is_url(source.choice.where):
            open_live_source(source.choice.where).close()
