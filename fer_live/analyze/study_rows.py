"""The rows of a frame, with what a batch file tells of its source, and with markers."""

from collections.abc import Iterator

from fer_live.analyze.jobs import Job
from fer_live.analyze.reading import ReadOptions
from fer_live.datatypes import FrameResult
from fer_live.outputs.face_rows import Row, face_rows
from fer_live.outputs.markers import MARKER_COLUMN, names_at
from fer_live.vision.pipeline import Pipeline


def rows_of(
    job: Job, result: FrameResult, pipeline: Pipeline, read_options: ReadOptions
) -> Iterator[Row]:
    """One row for each face of a frame of a job; behind the others come the columns of a batch
    file, and last, where there are markers, the intervals."""
    told = dict(job.told)
    if read_options.is_marked:
        told[MARKER_COLUMN] = names_at(job.markers, result.frame.captured_at_s)
    for row in face_rows(job.name, result, pipeline.labels, signals=pipeline.with_signals):
        yield row | told
