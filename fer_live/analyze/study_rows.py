"""The rows of a frame, with participant and condition of a batch file, and with markers."""

from collections.abc import Iterator

from fer_live.analyze.jobs import STUDY_COLUMNS, Job
from fer_live.analyze.reading import ReadOptions
from fer_live.datatypes import FrameResult
from fer_live.outputs.face_rows import Row, face_rows
from fer_live.outputs.markers import MARKER_COLUMN, names_at
from fer_live.vision.pipeline import Pipeline


def rows_of(
    job: Job, result: FrameResult, pipeline: Pipeline, read_options: ReadOptions
) -> Iterator[Row]:
    """One row for each face of a frame of a job; in a study, the columns of a batch file come
    behind the others, and where there are markers the intervals come last."""
    added = {name: getattr(job, name) for name in STUDY_COLUMNS} if read_options.is_study else {}
    if read_options.is_marked:
        added[MARKER_COLUMN] = names_at(job.markers, result.frame.captured_at_s)
    for row in face_rows(job.name, result, pipeline.labels, signals=pipeline.with_signals):
        yield row | added
