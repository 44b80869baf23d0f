"""VQAScores of another program, CSV or JSONL.

A row has the ``probability`` that a judge says yes to whether an image shows its prompt: the one question of the score
``vqa_score``, in whatever words the judge was asked it. So VQAScore of a judge that transformers does not have, such as
CLIP-FlanT5, comes by import.
"""

from collections.abc import Iterator

from diptych.evaluate.imports.answers import PROBABILITY, probability_of
from diptych.evaluate.imports.contract import EvidenceRecord, FileContent, ImportFormat, ImportSource, SaidAnswer
from diptych.evaluate.imports.matching import SHOWN
from diptych.evaluate.imports.records import image_of, records
from diptych.judges.evidence import ANSWERS


def vqa_score(source: ImportSource) -> FileContent:
    """Return the probability of yes that each row tells beside what names its image; an empty one is no answer."""
    return FileContent(_answers(source))


def _answers(source: ImportSource) -> Iterator[EvidenceRecord]:
    for place, row in records(source):
        image = image_of(row, place, "a VQAScore", (PROBABILITY,))
        said = SaidAnswer(SHOWN, None, "", probability_of(row, place), row.get("rater", ""))
        yield EvidenceRecord(place, image, said)


VQA_SCORES = ImportFormat(ANSWERS, vqa_score, of_captions=True)
