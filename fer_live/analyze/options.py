"""What one `fer-live analyze` is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from fer_live.datatypes import DetectorMode, Provider
from fer_live.outputs.registry import Outputs
from fer_live.vision.answers import DEFAULT_ANSWERS, AnswerConfig


@dataclass(frozen=True, slots=True)
class AnalyzeOptions:
    """What to read and where to write it; at least one of `out`, `video`, `report`, `outputs`.

    `sources`, or the lines of a `batch` file; of each the part from `begin_s` to `end_s` on its own
    clock, every `every`-th frame. `recursive`: images and videos of folders and of those below.
    `shard`: the I-th of N parts of the list. `began_at`: when a source began that does not tell.
    `report_pictures`: with pictures of the faces in the report.
    `persons`: rows have a column that numbers the persons of their source.
    `marker_inputs`: the ways in for markers while a stream is read.
    """

    sources: Sequence[str] = ()
    out: Path | None = None
    video: Path | None = None
    report: Path | None = None
    report_pictures: bool = False
    every: int = 1
    begin_s: float | None = None
    end_s: float | None = None
    recursive: bool = False
    shard: tuple[int, int] = (1, 1)
    began_at: datetime | None = None
    batch: Path | None = None
    model: Path | None = None
    provider: Provider = "auto"
    detector: DetectorMode = "auto"
    answers: AnswerConfig = DEFAULT_ANSWERS
    signals: bool = False
    persons: bool = False
    outputs: Outputs = field(default_factory=dict)
    marker_inputs: Mapping[str, str] = field(default_factory=dict)
