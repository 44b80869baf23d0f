"""From a file to evidence beside a dataset, where a rule looks for what the imported judge answered."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.config.identity import fingerprint
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing_sets import GrowingSet
from diptych.data.shards import read_shard, write_shard
from diptych.data.table import DatasetTable
from diptych.errors import DataError
from diptych.evaluate.imports import FORMATS
from diptych.evaluate.imports.contract import AnswerRecord, ImportFormat
from diptych.evaluate.imports.matching import Matched, Matcher
from diptych.judges.answers.asked import no_answer
from diptych.judges.answers.imported import CONTENT_DIGITS, imported
from diptych.judges.contract import FAILED, UNPARSED, Answer, Query
from diptych.judges.evidence import ANSWERS, Seen, evidence_table
from diptych.lookup import resolve
from diptych.provenance import collect
from diptych.scores.looks import look_with
from diptych.scores.question_accuracy import AskedQuestions
from diptych.scores.question_rule import same_words
from diptych.storage.location import Location
from diptych.storage.locks import only_one

VERSION = 1  # of how records become answers
NOT_IMPORTED = "not_imported"  # the reason of an image of a model that the file does not judge


@dataclass(frozen=True)
class GivenFile:
    """What is to be imported.

    Attributes:
        file: Its place.
        format: Name in ``FORMATS``.
        judge: Who judged.
        renamed: What a model is called in the file -> in the dataset.
    """

    file: Path
    format: str
    judge: str
    renamed: Mapping[str, str]


@dataclass(frozen=True)
class Imported:
    """What came of it.

    Attributes:
        place: Of the evidence.
        content: The option of the judge that stands for it.
        is_new: Whether it was not there before.
        matched: Which records were about what.
        images: How many have evidence.
        states: Number of questions by state, empty for those that are answered.
    """

    place: Location
    content: str
    is_new: bool
    matched: Matched
    images: int
    states: Mapping[str, int]


def import_evidence(path: Path, given: GivenFile) -> Imported:
    """Store what a file says of the images of a dataset; other evidence stays as it is.

    Raises:
        ConfigError: If there is no such format, or the judge has no name that a directory can have.
        DataError: If the file cannot be read, contradicts itself or says nothing of any of the images.
    """
    read: ImportFormat = resolve(FORMATS, "format", given.format)
    try:
        data = Location.at(given.file).read()
    except OSError as error:
        raise DataError(f"{given.file}: cannot be read: {error.strerror or error}") from error
    facts = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "format": given.format,
        "models": dict(given.renamed),
        "version": VERSION,
    }
    content = fingerprint(facts)[:CONTENT_DIGITS]
    look = look_with(imported(name=given.judge, content=content), ANSWERS, AskedQuestions())
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{given.file}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    dataset = open_dataset(path)
    matcher = Matcher(DatasetTable(dataset), given.file, given.renamed)
    matched = matcher.match(read(text, given.file))
    if not matched.answers:
        why = misfit_lines(matched) or ["it holds no record"]
        raise DataError(f"{given.file}: says nothing of any image of {path}: {'; '.join(why)}")
    every = _every_answer(matcher, matched)
    states = Counter(answer.state for some in every if some is not None for answer in some)
    with only_one(dataset.written):
        growing = GrowingSet(dataset, "evidence", look.name, look.identity)
        is_new = not growing.is_finished
        if is_new:
            _write(
                dataset, growing, every, {"judge": given.judge, "kind": ANSWERS.name, "file": given.file.name, **facts}
            )
    return Imported(growing.location, content, is_new, matched, sum(some is not None for some in every), states)


def misfit_lines(matched: Matched) -> list[str]:
    """Return what fits nothing, in words."""
    said = [
        f"{len(lines):,} records: {why} (line {', '.join(map(str, lines[:3]))}{', ...' if len(lines) > 3 else ''})"
        for why, lines in matched.misfits.items()
    ]
    said += [f"{count:,} records: no model {name!r} in the dataset" for name, count in matched.other_models.items()]
    return said


def _every_answer(matcher: Matcher, matched: Matched) -> list[list[Answer] | None]:
    """Return the answers about each row; None for a row of a model that nobody judged."""
    every: list[list[Answer] | None] = []
    for row, (model, checks) in enumerate(zip(matcher.models, matcher.checks, strict=True)):
        if model not in matched.models or checks is None:
            every.append(None)
            continue
        answers = matched.answers.get(row, {})
        queries = [Query(one.question, one.choices) for one in checks.questions]
        every.append([_answer(query, answers.get(number)) for number, query in enumerate(queries)])
    return every


def _answer(query: Query, record: AnswerRecord | None) -> Answer:
    said = record.answer.strip() if record is not None else ""
    if not said:
        return no_answer(query, FAILED)
    if query.choices and not any(same_words(said, choice) for choice in query.choices):
        return no_answer(query, UNPARSED, said)
    return Answer(query.text, (), (), said)  # of its own: nobody said how probable the other choices were


def _write(dataset: Dataset, growing: GrowingSet, every: list[list[Answer] | None], facts: Mapping[str, Any]) -> None:
    growing.begin()
    start = 0
    for shard, file in zip(dataset.shards, dataset.files, strict=True):
        keys = read_shard(file, ["key"])["key"].to_pylist()
        records = every[start : start + len(keys)]
        reasons = [NOT_IMPORTED if some is None else None for some in records]
        table = evidence_table(ANSWERS, keys, Seen(records, reasons))
        growing.commit(write_shard(table, growing.location / shard.name, source=shard.sha256))
        start += len(keys)
    growing.seal({**facts, "provenance": collect()})
