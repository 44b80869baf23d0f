"""VQAScores of another program, CSV or JSONL.

A row has the ``probability`` that a judge says yes to whether an image shows its prompt: the one question of the score
``vqa_score``, in whatever words the judge was asked it. So VQAScore of a judge that transformers does not have, such as
CLIP-FlanT5, comes by import.
"""

from collections.abc import Iterator

from diptych.evaluate.imports.answers import PROBABILITY, probability_of
from diptych.evaluate.imports.contract import EvidenceRecord, FileContent, ImportFormat, ImportSource, SaidAnswer
from diptych.evaluate.imports.matching import SHOWN
from diptych.evaluate.imports.records import RecordTable, image_of, prompt_of
from diptych.judges.evidence import ANSWERS


def vqa_score(source: ImportSource) -> FileContent:
    """Return the probability of yes that each row tells beside what names its image; an empty one is no answer."""
    table = RecordTable(source, (PROBABILITY, "rater"))
    return FileContent(_answers(table), unused=table.unused)


def _answers(table: RecordTable) -> Iterator[EvidenceRecord]:
    for place, row in table:
        image = image_of(row, place, "a VQAScore", (PROBABILITY,))
        said = SaidAnswer(SHOWN, None, "", probability_of(row, place), row.get("rater", ""))
        yield EvidenceRecord(place, image, said, prompt_of(row))


VQA_SCORES = ImportFormat(ANSWERS, vqa_score, of_captions=True)
