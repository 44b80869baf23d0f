"""Decisions of GenEval's own program.

The file is ``results.jsonl`` of evaluation/evaluate_images.py of djghosh13/geneval. Each line has ``filename``
(``.../00012/samples/00003.png``: the number of the prompt and of the image), ``prompt``, ``tag``, ``correct`` and
``reason``. A picture of a dataset with such names is the one of that name; of others it is the sample of that number,
from 0, as ``diptych generate export`` names it. The program runs once for each model and does not say which; the
folder above the prompt's may be called after it, and a key ``model`` of who joined several files says it. The prompt
has to be that of the dataset's image, so that decisions about rewritten prompts never become those of the original
ones. Of its boxes (``details``) only those above its threshold are there; they are left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from diptych.data.generated_columns import PROMPT_ID
from diptych.data.text_records import json_lines
from diptych.errors import DataError
from diptych.evaluate.imports.contract import EvidenceRecord, FileContent, FilePlace, ImportFormat, ImportSource
from diptych.evaluate.imports.sample_files import sample_file
from diptych.judges.contract import Rating
from diptych.judges.evidence import RATINGS
from diptych.judges.imported import SCALE

KEYS = {"filename": str, "prompt": str, "correct": bool, "reason": str}


def geneval(source: ImportSource) -> FileContent:
    """Return the decisions: 1 for correct, 0 for not, with GenEval's reason."""
    return FileContent(_decisions(source), scale=SCALE)


def _decisions(source: ImportSource) -> Iterator[EvidenceRecord]:
    for line, given in json_lines(source.text, source.file):
        place = FilePlace(source.file, line)
        _check(given, place)
        found = sample_file(given["filename"])
        if found is None:
            raise DataError(f"{place}: filename: {given['filename']!r} does not end as 00012/samples/00003.png does")
        image = {PROMPT_ID: found.prompt, "sample": str(found.sample)}
        if isinstance(given.get("model"), str):
            image["model"] = given["model"]
        said = Rating(float(given["correct"]), note="; ".join(given["reason"].split("\n")))
        yield EvidenceRecord(place, image, said, given["prompt"], found.folder, picture=found)


def _check(given: Mapping[str, Any], place: FilePlace) -> None:
    for name, kind in KEYS.items():
        if not isinstance(given.get(name), kind):
            raise DataError(
                f"{place}: {name}: a result of GenEval has {', '.join(KEYS)}; here it is {given.get(name)!r}"
            )


GENEVAL_RESULTS = ImportFormat(RATINGS, geneval, version=4)
