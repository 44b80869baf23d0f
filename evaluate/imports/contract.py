"""What a file of evidence is read into, whatever its format."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from diptych.evaluate.imports.sample_files import SampleFile
from diptych.judges.contract import Box, Rating
from diptych.judges.evidence import EvidenceKind
from diptych.storage.store_path import ReadPath

Scale: TypeAlias = tuple[float, float]  # the least and the most that a rating can be


class FilePlace(NamedTuple):
    """Where a record stands: its line, or its number in a file that is one JSON value, from 1."""

    file: ReadPath
    number: int
    noun: Literal["line", "record", "image"] = "line"

    def __str__(self) -> str:
        """Return how a message about it begins."""
        return f"{self.file}:{self.number}" if self.noun == "line" else f"{self.file}: {self.noun} {self.number}"


@dataclass(frozen=True)
class SaidAnswer:
    """An answer to a question.

    Attributes:
        question_id: Of the question within its prompt; None where the file tells its words alone.
        question: Its words; None where the file tells its id alone. One of that id and other words is not the one.
        answer: What was answered; empty where there was no answer, or its probability alone is told.
        probability: Of that answer among its choices, in [0, 1], where there is none of the first of two choices; None
            where nobody tells.
        rater: Who of several answered; empty where nobody tells.
    """

    question_id: str | None
    question: str | None
    answer: str
    probability: float | None = None
    rater: str = ""


@dataclass(frozen=True)
class EvidenceRecord:
    """What a file says once.

    Attributes:
        place: Of the record.
        image: Columns of the dataset and what the image has in them; ``file`` is the end of its path.
        said: Of the image; None where it was looked at and nothing found.
        prompt: Its text, where the file tells it: an image of another text is not the one, see ``is_same_text``.
        folder: What may be called after the model, where nothing else tells it: counts where the dataset has it.
        misfit: Why it can be about no image, where the format knows; empty else.
        says: What of it is so, in words, beside ``misfit``.
        size: Width and height of the picture in pixels, where the file tells them: one of another size is not the one.
        picture: The numbers in its name, where the file tells it: they count in place of prompt and sample where the
            pictures of the dataset have such names.
        part: Which of several things it is that stand at one place, from 0.
    """

    place: FilePlace
    image: Mapping[str, str]
    said: SaidAnswer | Box | Rating | None
    prompt: str | None = None
    folder: str = ""
    misfit: str = ""
    says: str = ""
    size: tuple[int, int] | None = None
    picture: SampleFile | None = None
    part: int = 0

    @property
    def is_listing(self) -> bool:
        """Whether the file only lists the image here."""
        return self.place.noun == "image"


class ImportSource(NamedTuple):
    """What a format reads.

    Attributes:
        text: Of the file.
        file: Its place.
        names: Text and place of the file that says what its ids stand for; None where none was given.
        scale: Of ratings; None where none was given.
    """

    text: str
    file: ReadPath
    names: tuple[str, ReadPath] | None = None
    scale: Scale | None = None


class FileContent(NamedTuple):
    """What was read.

    Attributes:
        records: In order; reading them raises DataError, with file and line, at one of another form.
        labels: Everything that a detector can find; None of what finds nothing.
        scale: Of ratings.
        unused: Returns, once the records were read, columns that nothing reads, and for each the one whose name it
            nearly has; of what a person may have named.
        is_whole: Whether a picture of a model in it of which it says nothing was asked about and not answered, as those
            who wrote it count, and not left out.
    """

    records: Iterator[EvidenceRecord]
    labels: frozenset[str] | None = None
    scale: Scale | None = None
    unused: Callable[[], Mapping[str, str]] = dict
    is_whole: bool = False


@dataclass(frozen=True)
class ImportFormat:
    """How a file is written.

    Attributes:
        kind: Of the evidence that it holds.
        read: From its text to what it says. Raises DataError if it has another form, ConfigError if it lacks what has
            to be told beside it.
        takes_names: Whether a second file says what its ids stand for.
        takes_scale: Whether the scale of its ratings has to be told.
        of_captions: Whether its answers are to whether an image shows its caption, as the score ``vqa_score`` asks, and
            not to the questions of prompts.
        version: Of how its records become evidence.
    """

    kind: EvidenceKind[Any]
    read: Callable[[ImportSource], FileContent]
    takes_names: bool = False
    takes_scale: bool = False
    of_captions: bool = False
    version: int = 3
