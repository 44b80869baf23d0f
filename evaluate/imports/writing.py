"""From a file to evidence beside a dataset, where a rule looks for what the imported judge said."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diptych.addresses import Address
from diptych.config.identity import fingerprint
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing_sets import GrowingSet
from diptych.data.shards import read_shard, write_shard
from diptych.data.table import DatasetTable
from diptych.data.text_records import no_text_problem
from diptych.errors import ConfigError, DataError
from diptych.evaluate.imports import FORMATS
from diptych.evaluate.imports.contract import FileContent, ImportFormat, ImportSource, Scale
from diptych.evaluate.imports.matched import Matched
from diptych.evaluate.imports.matching import Matcher
from diptych.evaluate.imports.records import unused_lines
from diptych.evaluate.imports.row_evidence import MAKE_ROWS, NOT_IMPORTED, RowEvidence
from diptych.evaluate.imports.said_beside import ModelNames
from diptych.judges.evidence import ANSWERS, BOXES, EvidenceKind, Seen, evidence_table
from diptych.judges.imported import CONTENT_DIGITS, imported
from diptych.lookup import resolve
from diptych.provenance import collect
from diptych.scores.looks import Ask, look_with
from diptych.scores.object_accuracy import CheckedLabels
from diptych.scores.question_accuracy import AskedQuestions
from diptych.scores.vqa_score import CAPTION_ASKED
from diptych.storage.location import Location
from diptych.storage.locks import only_one
from diptych.storage.store_path import ReadPath

# What the rules over each kind of evidence ask, so that they find it; nothing of ratings.
ASKED: Mapping[str, Ask] = {ANSWERS.name: AskedQuestions(), BOXES.name: CheckedLabels()}


@dataclass(frozen=True)
class GivenFiles:
    """What is to be imported.

    Attributes:
        files: Their places: one, or several of one judge, such as one for each model.
        format: Name in ``FORMATS``.
        judge: Who judged.
        models: What those of the files are called in the dataset.
        names: A further file, that says what the ids of the others stand for.
        scale: Of ratings.
    """

    files: tuple[ReadPath, ...]
    format: str
    judge: str
    models: ModelNames
    names: ReadPath | None = None
    scale: Scale | None = None


@dataclass(frozen=True)
class Imported:
    """What came of it.

    Attributes:
        place: Of the evidence.
        options: Of the judge that stands for it.
        is_new: Whether it was not there before.
        matched: Which records were about what.
        rows: What is stored.
        pictures: Of the dataset.
        untold: Of these, those of which the files say nothing.
        unused: Columns of the files that nothing reads, see ``FileContent``.
    """

    place: Location
    options: Mapping[str, Any]
    is_new: bool
    matched: Matched
    rows: RowEvidence
    pictures: int
    untold: int
    unused: Mapping[str, str]


def import_evidence(path: Address, given: GivenFiles) -> Imported:
    """Store what files say of the images of a dataset; other evidence stays as it is.

    Raises:
        ConfigError: If there is no such format, an option is none of it, or the judge has no name that a directory can
            have.
        DataError: If a file cannot be read or contradicts itself, or they say nothing of any of the images.
    """
    form: ImportFormat = resolve(FORMATS, "format", given.format)
    _check_options(form, given)
    sources, facts = _read(given, form.version)
    contents = [form.read(source) for source in sources]
    content = _joined(contents, given)
    name = {"name": given.judge, "content": fingerprint(facts)[:CONTENT_DIGITS]}
    dataset = open_dataset(path)
    matcher = Matcher(DatasetTable(dataset), form.of_captions)
    matched = matcher.match(content.records)
    rows = MAKE_ROWS[form.kind.name](matcher, matched, content)
    unused = {name: key for one in contents for name, key in one.unused().items()}
    if not rows.told or 0 < matched.read == matched.left_out:
        why = [*matched.lines(), *(f"not used is {line}" for line in unused_lines(unused))] or ["it holds no record"]
        files, verb = ", ".join(map(str, given.files)), "says" if len(given.files) == 1 else "say"
        raise DataError(f"{files}: {verb} nothing of any image of {path}: {'; '.join(why)}")
    options = {**name, **rows.options}
    look = look_with(imported(**options), form.kind, CAPTION_ASKED if form.of_captions else ASKED.get(form.kind.name))
    with only_one(dataset.written):
        growing = GrowingSet(dataset, "evidence", look.name, look.identity)
        is_new = not growing.is_finished
        if is_new:
            of_files = [file.name for file in given.files]
            told = {"judge": given.judge, "kind": form.kind.name, "files": of_files, **facts}
            _write(dataset, growing, (form.kind, rows), told)
    reasons = [why for why, state in zip(rows.reasons, matcher.states, strict=True) if state == "ok"]
    told_of = len(reasons), reasons.count(NOT_IMPORTED)
    return Imported(growing.location, options, is_new, matched, rows, *told_of, unused)


def _check_options(form: ImportFormat, given: GivenFiles) -> None:
    if given.names is not None and not form.takes_names:
        raise ConfigError(f"--names: the format {given.format} has no ids that a second file explains; leave it out")
    if given.scale is not None and not form.takes_scale:
        raise ConfigError(f"--scale: the format {given.format} has no ratings, or a scale of its own; leave it out")


def _read(given: GivenFiles, version: int) -> tuple[list[ImportSource], dict[str, Any]]:
    """Return what is to be read, and the facts that decide what comes of it, whatever the order of the files."""
    read = [_text(file) for file in given.files]
    only = given.models.only or ("",) * len(read)
    of_files = sorted((sha256, model) for (_, sha256), model in zip(read, only, strict=True))
    models = {**given.models.renamed, **({"": "\n".join(model for _, model in of_files)} if given.models.only else {})}
    sha256 = "\n".join(sha256 for sha256, _ in of_files)
    facts: dict[str, Any] = {"sha256": sha256, "format": given.format, "models": models, "version": version}
    names = None
    if given.names is not None:
        words, facts["names_sha256"] = _text(given.names)
        names = (words, given.names)
    if given.scale is not None:
        facts["scale"] = list(given.scale)
    return [
        ImportSource(text, file, names, given.scale) for file, (text, _) in zip(given.files, read, strict=True)
    ], facts


def _joined(contents: Sequence[FileContent], given: GivenFiles) -> FileContent:
    """Return what all files say, with the models by the dataset's names.

    Raises:
        ConfigError: If detectors of different classes would become one.
    """
    for file, content in zip(given.files, contents, strict=True):
        if content.labels != contents[0].labels:
            raise ConfigError(f"{file}: tells other classes than {given.files[0]}; import it as a judge of its own")
    records = (given.models.named(record, number) for number, one in enumerate(contents) for record in one.records)
    return contents[0]._replace(records=records)


def _text(file: ReadPath) -> tuple[str, str]:
    """Return the text of a file and the sha256 of its bytes."""
    try:
        data = Location.at(file).read()
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from error
    try:
        return data.decode("utf-8-sig"), hashlib.sha256(data).hexdigest()
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: {no_text_problem(error)}") from error


def _write(
    dataset: Dataset, growing: GrowingSet, what: tuple[EvidenceKind[Any], RowEvidence], facts: Mapping[str, Any]
) -> None:
    kind, rows = what
    growing.begin()
    start = 0
    for shard, file in zip(dataset.shards, dataset.files, strict=True):
        keys = read_shard(file, ["key"])["key"].to_pylist()
        own = slice(start, start + len(keys))
        table = evidence_table(kind, keys, Seen(rows.records[own], rows.reasons[own]))
        growing.commit(write_shard(table, growing.location / shard.name, source=shard.sha256))
        start += len(keys)
    growing.seal({**facts, "provenance": collect()})
