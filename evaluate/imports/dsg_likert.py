"""Human ratings as DSG releases them, a CSV.

Its columns are item_id, t2i_model, worker_id and answer: how consistent the image is with its text, from 1 to 5, by up
to five people; there are further ones.
"""

from collections.abc import Iterator
from functools import partial

from diptych.data.generated_columns import PROMPT_ID
from diptych.errors import DataError
from diptych.evaluate.imports.contract import EvidenceRecord, FileContent, ImportFormat, ImportSource
from diptych.evaluate.imports.ratings import on_scale
from diptych.evaluate.imports.records import RecordTable, prompt_of
from diptych.judges.contract import Rating
from diptych.judges.evidence import RATINGS

COLUMNS = ("item_id", "t2i_model", "worker_id", "answer")
SCALE_OF_LIKERT = (1.0, 5.0)


def dsg_likert(source: ImportSource) -> FileContent:
    """Return what each row says; each has all of ``COLUMNS``."""
    return FileContent(_ratings(source), scale=SCALE_OF_LIKERT)


def _ratings(source: ImportSource) -> Iterator[EvidenceRecord]:
    value_of = partial(on_scale, SCALE_OF_LIKERT)
    for place, row in RecordTable(source, COLUMNS):
        if missing := [name for name in COLUMNS if name not in row]:
            raise DataError(f"{place}: ratings of DSG have the columns {', '.join(COLUMNS)}; no {missing[0]}")
        image = {PROMPT_ID: row["item_id"], "model": row["t2i_model"]}
        said = Rating(value_of(row, "answer", place), row["worker_id"])
        yield EvidenceRecord(place, image, said, prompt_of(row))


DSG_LIKERT = ImportFormat(RATINGS, dsg_likert)
