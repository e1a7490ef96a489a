"""From files to a study: reads what the command line names, and sums it up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fer_live.studies.agreement import Agreement, agreement
from fer_live.studies.grouping import read_batch, read_markers
from fer_live.studies.summary import Study, SummaryOptions, prepare, summarize
from fer_live.studies.tables import FILE, read_rows, refuse_rows_twice, row_files
from fer_live.studies.timing import with_durations


@dataclass(frozen=True, slots=True)
class StudyFiles:
    """What a study is made of: files and folders of rows, and what tells more about them."""

    rows: Sequence[Path]
    batch: Path | None = None
    markers: Path | None = None


def read_study(
    files: StudyFiles, options: SummaryOptions, agree: Sequence[str] | None = None
) -> tuple[Study, Agreement | None]:
    """Read the rows and sum them up.

    Args:
        files: Where everything is.
        options: How it is summed up. Two files that `agree` compares are groups of their own.
        agree: Two files of rows, or two sources, to be compared.

    Returns:
        The study, and how far the two agree.

    Raises:
        InputError: A file cannot be read or is none of rows, a column is not there, or two files
            have rows of the same frames and nothing keeps them apart.
    """
    batch = None if files.batch is None else read_batch(files.batch)
    markers = None if files.markers is None else read_markers(files.markers)
    rows = read_rows(row_files(files.rows), also=options.by)
    if agree and FILE not in options.by and {Path(name).name for name in agree} & set(rows[FILE]):
        options = replace(options, by=(FILE, *options.by))
    refuse_rows_twice(rows, options.by)
    compared = None
    if agree:
        timed = with_durations(rows, close_s=options.close_s, max_gap_s=options.max_gap_s)
        compared = agreement(timed, *agree, n_resamples=options.n_resamples, seed=options.seed)
    return summarize(prepare(rows, options, batch, markers), options), compared
