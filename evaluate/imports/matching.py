"""Which row each record is about, and what fits nothing.

Nothing is guessed: a record that fits no image or several is counted, with the first of each kind by its place.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from diptych.data.checks import CHECKS, Checks, Question, read_checks
from diptych.data.row_states import MISSING
from diptych.data.schema import FILE
from diptych.data.shards import reading
from diptych.data.table import DatasetTable
from diptych.errors import DataError
from diptych.evaluate.imports.contract import EvidenceRecord, FilePlace
from diptych.scores.vqa_score import CAPTION_ASKED
from diptych.storage.location import Location

NO_IMAGE, SEVERAL_IMAGES, OTHER_PROMPT = "no such image", "several images", "another prompt"
OTHER_SIZE = "a picture of another size"
SHOWN = "1"  # the id of the only question that is asked of a caption
TOLD_OF = ("ok", MISSING)  # the states of rows about which a file may say something: no pictures are needed
IMAGE_PATH = "image.path"  # the name of a picture, which a dataset that was made of files has as FILE in full


@dataclass
class Matched:
    """What was found.

    Attributes:
        records: By row, in the order of the file.
        repeated: Records that say again what another one says.
        misfits: Why records fit nothing -> where they stand.
        other_models: Models that the dataset does not have -> number of records.
    """

    records: dict[int, list[EvidenceRecord]] = field(default_factory=dict)
    repeated: int = 0
    misfits: dict[str, list[FilePlace]] = field(default_factory=dict)
    other_models: Counter[str] = field(default_factory=Counter)

    def leave_out(self, record: EvidenceRecord, why: str) -> None:
        """Count a record that fits nothing."""
        self.misfits.setdefault(why, []).append(record.place)


@dataclass
class Matcher:
    """Finds rows by their columns.

    Attributes:
        table: The dataset.
        of_captions: Whether what is asked of each row is whether it shows its caption, see ``ImportFormat``.
    """

    table: DatasetTable
    of_captions: bool = False
    _read: dict[str, list[str | None]] = field(default_factory=dict)
    _indices: dict[tuple[str, ...], dict[tuple[str | None, ...], list[int]]] = field(default_factory=dict)

    @cached_property
    def model_of(self) -> list[str | None]:
        """The model of each row."""
        return self._words("model") if "model" in self.table.columns else [None] * len(self.table)

    @cached_property
    def checks(self) -> list[Checks | None]:
        """What is asked of each row; None where it cannot be read, or there is no caption to ask about."""
        if self.of_captions:
            return [None if caption is None else _shown(caption) for caption in self._captions]
        texts = self._words(CHECKS) if CHECKS in self.table.columns else [None] * len(self.table)
        return [read_checks(text) for text in texts]

    @cached_property
    def states(self) -> list[str | None]:
        """The status of each row."""
        return self._words("status")

    @cached_property
    def sizes(self) -> list[tuple[int, int] | None]:
        """Width and height of the picture of each row, in pixels; None where there is none."""
        sides = zip(*(self.table.column(name).to_pylist() for name in ("width", "height")), strict=True)
        return [None if None in (width, height) else (width, height) for width, height in sides]

    def match(self, records: Iterable[EvidenceRecord]) -> Matched:
        """Return which records are about which row.

        Raises:
            DataError: If a record has another form, or the dataset lacks a column.
        """
        found, known = Matched(), set(self.model_of)
        for record in records:
            if record.misfit:
                found.leave_out(record, record.misfit)
                continue
            image = record.image
            if "model" not in image and record.folder in known:
                image = {**image, "model": record.folder}
            if "model" in image and image["model"] not in known:
                found.other_models[image["model"]] += 1
                continue
            rows = self._rows(image)
            if len(rows) != 1:
                found.leave_out(record, SEVERAL_IMAGES if rows else NO_IMAGE)
            elif record.prompt is not None and self._captions[rows[0]] != record.prompt:
                found.leave_out(record, OTHER_PROMPT)
            elif record.size is not None and self.sizes[rows[0]] not in (None, record.size):
                found.leave_out(record, OTHER_SIZE)
            elif self.states[rows[0]] not in TOLD_OF:
                found.leave_out(record, f"not used, as the image is {self.states[rows[0]]}")
            else:
                found.records.setdefault(rows[0], []).append(record)
        return found

    def _rows(self, image: Mapping[str, str]) -> Sequence[int]:
        columns = tuple(name for name in image if name != FILE)
        if FILE not in image:
            return self._index(columns).get(tuple(image.values()), [])
        path = PurePosixPath(image[FILE].replace("\\", "/"))
        rows = [row for row in self._by_name.get(path.name, []) if _is_end(path, self._files[row])]
        named = [self._words(name) for name in columns]
        wanted = [image[name] for name in columns]
        return [row for row in rows if [values[row] for values in named] == wanted]

    @cached_property
    def _captions(self) -> list[str | None]:
        return self._words("caption")

    @cached_property
    def _files(self) -> list[PurePosixPath | None]:
        """The file of each row: its path where it came from, or the name of its picture."""
        if FILE in self.table.columns:
            names = self._words(FILE)
        else:
            names = [name for file in self.table.dataset.files for name in _names(file)]
        return [None if name is None else PurePosixPath(name) for name in names]

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row, file in enumerate(self._files):
            if file is not None:
                found.setdefault(file.name, []).append(row)
        return found

    def _index(self, columns: tuple[str, ...]) -> dict[tuple[str | None, ...], list[int]]:
        if columns not in self._indices:
            index: dict[tuple[str | None, ...], list[int]] = {}
            for row, values in enumerate(zip(*map(self._words, columns), strict=True)):
                index.setdefault(values, []).append(row)
            self._indices[columns] = index
        return self._indices[columns]

    def _words(self, column: str) -> list[str | None]:
        """Return a column as words; read once."""
        if column not in self.table.columns:
            place = self.table.dataset.location
            raise DataError(
                f"{place}: has no column {column!r}, by which the file names images; name them by key or file"
            )
        if column not in self._read:
            values = self.table.column(column).to_pylist()
            self._read[column] = [None if value is None else str(value) for value in values]
        return self._read[column]


def _shown(caption: str) -> Checks:
    """Return what the score ``vqa_score`` asks of an image with a caption."""
    query = CAPTION_ASKED.about(caption)
    question = Question(id=SHOWN, question=query.text, choices=query.choices, answer=query.choices[0])
    return Checks(questions=(question,))


def _names(file: Location) -> list[str | None]:
    """Return what the pictures of a shard are called; their bytes are not read."""
    with reading(file) as parquet:
        pictures = parquet.read(columns=[IMAGE_PATH])["image"].to_pylist()
    return [None if one is None else one["path"] for one in pictures]


def _is_end(path: PurePosixPath, other: PurePosixPath | None) -> bool:
    """Return whether the shorter of two paths is the end of the longer one.

    >>> _is_end(PurePosixPath("/out/00001/0.png"), PurePosixPath("00001/0.png"))
    True
    """
    if other is None:
        return False
    shorter, longer = sorted((path.parts, other.parts), key=len)
    return longer[len(longer) - len(shorter) :] == shorter
