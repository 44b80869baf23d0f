"""Which row each record is about, and what fits nothing.

Nothing is guessed: a record that fits no image or several, or whose own words contradict the image's, is counted, with
the first of each kind by its place. An id that a spreadsheet made a number of is the one that is that number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from diptych.data.checks import CHECKS, Checks, Question, read_checks
from diptych.data.generated_columns import PROMPT_ID
from diptych.data.numbered_ids import NumberedIds
from diptych.data.row_states import MISSING
from diptych.data.same_text import is_same_text
from diptych.data.schema import FILE
from diptych.data.shards import reading
from diptych.data.table import DatasetTable
from diptych.errors import DataError
from diptych.evaluate.imports.contract import EvidenceRecord
from diptych.evaluate.imports.file_names import FileNames
from diptych.evaluate.imports.matched import Matched, first_of
from diptych.evaluate.imports.sample_files import SampleFiles
from diptych.evaluate.imports.written_folders import OTHER_FOLDER, of_other_folders, own_folders
from diptych.scores.vqa_score import CAPTION_ASKED
from diptych.storage.location import Location

NO_IMAGE, SEVERAL_IMAGES, OTHER_PROMPT = "no such image", "several images", "another prompt"
OTHER_SIZE = "a picture of another size"
SHOWN = "1"  # the id of the only question that is asked of a caption
OK = "ok"
TOLD_OF = (OK, MISSING)  # the states of rows about which a file may say something: no pictures are needed
IMAGE_PATH = "image.path"  # the name of a picture, which a dataset that was made of files has as FILE in full
NUMBERED = (PROMPT_ID, "sample")  # columns of which a spreadsheet makes numbers


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
    _ids: dict[str, NumberedIds] = field(default_factory=dict)

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
            image = record.image
            if "model" not in image and record.folder in known:
                image = {**image, "model": record.folder}
            if "model" in image and image["model"] not in known:
                found.other_models[image["model"]] += 1
                continue
            found.read += not record.is_listing
            if record.misfit:
                found.leave_out(record, record.misfit, record.says)
                continue
            rows = self._of_its_prompt(record, self._rows_of(record, image))
            why, says = self._contradiction(record, rows[0]) if len(rows) == 1 else (NO_IMAGE, "")
            if len(rows) > 1:
                found.leave_out(record, SEVERAL_IMAGES, f"{_named(image)} are {len(rows):,}")
            elif why:
                found.leave_out(record, why, says)
            else:
                found.records.setdefault(rows[0], []).append(record)
        self._leave_out_others(found)
        if NO_IMAGE in found.misfits:
            found.misfits[NO_IMAGE].says = self._both_sides(found.misfits[NO_IMAGE].records)
        return found

    def _leave_out_others(self, found: Matched) -> None:
        """Leave out what is about images of other folders than the dataset's.

        Raises:
            DataError: If one image is named in several folders, and nothing tells which it is.
        """
        own = own_folders(self.table.dataset.manifest, self.model_of)
        names_files = any(FILE in one.image for some in found.records.values() for one in some)
        files = self._files if names_files else [None] * len(self.table)
        others = list(of_other_folders(found.records, files, own))
        gone = {id(record) for _, record, _ in others}
        for _, record, says in others:
            found.leave_out(record, OTHER_FOLDER, says)
        for row in {row for row, _, _ in others}:
            found.records[row] = [record for record in found.records[row] if id(record) not in gone]
            if not found.records[row]:
                del found.records[row]

    def _contradiction(self, record: EvidenceRecord, row: int) -> tuple[str, str]:
        """Return why a record is not about a row that it names, and what both say; empty where it is."""
        caption, size, state = self._captions[row], self.sizes[row], self.states[row]
        if None not in (record.prompt, caption) and not is_same_text(record.prompt or "", caption or ""):
            return OTHER_PROMPT, f"{record.prompt!r}, where the image has {caption!r}"
        if record.size is not None and size is not None and size != record.size:
            return OTHER_SIZE, "{}x{}, where the picture has {}x{}".format(*record.size, *size)
        return ("", "") if state in TOLD_OF else (f"not used, as the image is {state}", "")

    def _of_its_prompt(self, record: EvidenceRecord, rows: Sequence[int]) -> Sequence[int]:
        """Return, of several rows, those of the prompt's text that a record tells, as ids may be of several texts."""
        if len(rows) < 2 or record.prompt is None:
            return rows
        return [row for row in rows if is_same_text(record.prompt, self._captions[row] or "")] or rows

    def _both_sides(self, records: Sequence[EvidenceRecord]) -> str:
        """Return what of images that are not there is not there, and the first of what is, in words."""
        pictures = [record.picture for record in records if record.picture is not None]
        if pictures and self._sample_files:
            named = first_of(f"{one.prompt}/samples/{one.sample:05d}" for one in pictures)
            return f"{FILE} {named}, where the dataset has {first_of(self._files)}"
        image = records[0].image
        for name in image:
            ours = self._files if name == FILE else self._words(name)
            is_there = self._by_name.find if name == FILE else self._ids_of(name).find
            theirs = [record.image[name] for record in records if name in record.image]
            if unknown := [word for word in theirs if not is_there(word)]:
                return f"{name} {first_of(unknown)}, where the dataset has {first_of(ours)}"
        return f"no image has {_named(image)}"

    def _rows_of(self, record: EvidenceRecord, image: Mapping[str, str]) -> Sequence[int]:
        """Return the rows that a record may be about: of pictures with numbered names, those of its numbers."""
        if record.picture is None or not self._sample_files:
            return self._rows(image)
        model, first = image.get("model"), self._first_sample
        found = self._sample_files.find(record.picture, lambda row: model in (None, self.model_of[row]))
        if found or first is None:
            return found
        sample = {**image, "sample": str(record.picture.sample - first)}
        return [row for row in self._rows(sample) if self.states[row] == MISSING]

    def _rows(self, image: Mapping[str, str]) -> Sequence[int]:
        others = {name: self._meant(name, word) for name, word in image.items() if name != FILE}
        if FILE not in image:
            return self._index(tuple(others)).get(tuple(others.values()), [])
        named = [self._words(name) for name in others]
        wanted = list(others.values())
        return [row for row in self._by_name.find(image[FILE]) if [values[row] for values in named] == wanted]

    def _meant(self, name: str, word: str) -> str:
        """Return what a column has for a word: the same, or the only one that is the same number."""
        return (self._ids_of(name).find(word) or word) if name in NUMBERED else word

    def _ids_of(self, name: str) -> NumberedIds:
        if name not in self._ids:
            self._ids[name] = NumberedIds(word for word in self._words(name) if word is not None)
        return self._ids[name]

    @cached_property
    def _captions(self) -> list[str | None]:
        return self._words("caption")

    @cached_property
    def _files(self) -> list[str | None]:
        """The file of each row: its path where it came from, or the name of its picture."""
        if FILE in self.table.columns:
            return self._words(FILE)
        return [name for file in self.table.dataset.files for name in _names(file)]

    @cached_property
    def _by_name(self) -> FileNames:
        return FileNames(self._files)

    @cached_property
    def _sample_files(self) -> SampleFiles:
        return SampleFiles(self._words(FILE) if FILE in self.table.columns else ())

    @cached_property
    def _first_sample(self) -> int | None:
        """What the numbers in the names of pictures count from; None where they are counted otherwise."""
        samples = self._words("sample")
        places = self._sample_files.places
        firsts = {place.sample - int(samples[row] or 0) for row, place in places if self.states[row] == OK}
        return firsts.pop() if len(firsts) == 1 else None

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


def _named(image: Mapping[str, str]) -> str:
    return " and ".join(f"{name} {word!r}" for name, word in image.items())


def _names(file: Location) -> list[str | None]:
    """Return what the pictures of a shard are called; their bytes are not read."""
    with reading(file) as parquet:
        pictures = parquet.read(columns=[IMAGE_PATH])["image"].to_pylist()
    return [None if one is None else one["path"] for one in pictures]
