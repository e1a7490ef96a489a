"""The rows of a frame, with what a batch file tells of its source."""

from collections.abc import Iterator

from fer_live.analyze.jobs import Job
from fer_live.datatypes import FrameResult
from fer_live.outputs.face_rows import Row, face_rows
from fer_live.vision.pipeline import Pipeline


def rows_of(job: Job, result: FrameResult, pipeline: Pipeline) -> Iterator[Row]:
    """One row for each face of a frame of a job; the columns of a batch file come last."""
    told = dict(job.told)
    for row in face_rows(job.name, result, pipeline.labels, signals=pipeline.with_signals):
        yield row | told
