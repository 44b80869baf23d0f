"""Which row and which questions each record is about, and what fits nothing.

Nothing is guessed: a record that fits no image or several is counted, with the first of each kind by line.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from diptych.data.checks import CHECKS, Checks, read_checks
from diptych.data.table import DatasetTable
from diptych.errors import DataError
from diptych.evaluate.imports.contract import AnswerRecord

NO_IMAGE, SEVERAL_IMAGES, NO_QUESTION = "no such image", "several images", "no such question"


@dataclass
class Matched:
    """What was found.

    Attributes:
        answers: By row, then by the number of the question in its checks.
        models: Of the rows that have any: the others of these models were judged as well, without an answer.
        repeated: Records that say again what another one says.
        misfits: Why records fit nothing -> their lines.
        other_models: Models that the dataset does not have -> number of records.
    """

    answers: dict[int, dict[int, AnswerRecord]] = field(default_factory=dict)
    models: set[str | None] = field(default_factory=set)
    repeated: int = 0
    misfits: dict[str, list[int]] = field(default_factory=dict)
    other_models: Counter[str] = field(default_factory=Counter)


@dataclass
class Matcher:
    """Finds rows by their columns.

    Attributes:
        table: The dataset.
        file: What the records came from, for messages.
        renamed: What a model is called in the file -> in the dataset.
    """

    table: DatasetTable
    file: Path
    renamed: Mapping[str, str]
    _indices: dict[tuple[str, ...], dict[tuple[str | None, ...], list[int]]] = field(default_factory=dict)

    @cached_property
    def models(self) -> list[str | None]:
        """The model of each row."""
        return self._words("model")

    @cached_property
    def checks(self) -> list[Checks | None]:
        """What is asked of each row; None where it cannot be read."""
        return [read_checks(text) for text in self._words(CHECKS)]

    def match(self, records: Iterable[AnswerRecord]) -> Matched:
        """Return which records are about what.

        Raises:
            DataError: If a question is answered twice in different ways, or the dataset lacks a column.
        """
        found, known = Matched(), set(self.models)
        for record in records:
            image = dict(record.image)
            if "model" in image:
                image["model"] = self.renamed.get(image["model"], image["model"])
                if image["model"] not in known:
                    found.other_models[image["model"]] += 1
                    continue
            rows = self._index(tuple(image)).get(tuple(image.values()), [])
            numbers = self._questions(rows[0], record) if len(rows) == 1 else []
            if not numbers:
                why = NO_QUESTION if len(rows) == 1 else SEVERAL_IMAGES if rows else NO_IMAGE
                found.misfits.setdefault(why, []).append(record.line)
                continue
            self._add(found, rows[0], numbers, record)
        return found

    def _add(self, found: Matched, row: int, numbers: Sequence[int], record: AnswerRecord) -> None:
        answers = found.answers.setdefault(row, {})
        found.models.add(self.models[row])
        for number in numbers:
            other = answers.setdefault(number, record)
            if other is record:
                continue
            found.repeated += 1
            if other.answer != record.answer:
                raise DataError(
                    f"{self.file}:{record.line}: answers {record.answer!r} to what line {other.line} answers "
                    f"{other.answer!r}; keep one of them"
                )

    def _questions(self, row: int, record: AnswerRecord) -> list[int]:
        checks = self.checks[row]
        questions = enumerate(checks.questions if checks else ())
        if record.question_id is not None:
            return [number for number, one in questions if one.id == record.question_id]
        return [number for number, one in questions if one.question == record.question]

    def _index(self, columns: tuple[str, ...]) -> dict[tuple[str | None, ...], list[int]]:
        if columns not in self._indices:
            index: dict[tuple[str | None, ...], list[int]] = {}
            for row, values in enumerate(zip(*map(self._words, columns), strict=True)):
                index.setdefault(values, []).append(row)
            self._indices[columns] = index
        return self._indices[columns]

    def _words(self, column: str) -> list[str | None]:
        return [None if value is None else str(value) for value in self.table.column(column).to_pylist()]
