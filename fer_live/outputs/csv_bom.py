"""CSV that Excel reads in every script: a byte order mark tells it that the text is UTF-8."""

from fer_live.base.translation import mark
from fer_live.outputs.csv_file import open_csv
from fer_live.outputs.kind import OutputKind
from fer_live.outputs.text_file import check_text_file, suggested_file

OUTPUT = OutputKind(
    name="csv_bom",
    title=mark("CSV for Excel"),
    purpose=mark("For Excel, which then reads every script: a table with one row per face."),
    metavar="FILE",
    help="CSV with a byte order mark, so that Excel reads every script",
    open=lambda opening: open_csv(opening, with_bom=True),
    check=lambda where: check_text_file(where, ".csv"),
    suggest=lambda: suggested_file(" excel.csv"),
    writes_file=True,
    position=15,
)
