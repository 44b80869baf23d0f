"""What lies in a folder of images made elsewhere, and what a layout takes the place of each for."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

from diptych.data.folder_walk import everything_below, valid_name
from diptych.errors import DataError
from diptych.storage.store_path import ReadPath

# Endings of what lies beside images and says something of them, or of nobody.
BESIDE = frozenset(
    {".csv", ".db", ".htm", ".html", ".ini", ".json", ".jsonl", ".log", ".md", ".parquet", ".pkl", ".pt", ".py"}
    | {".sh", ".tsv", ".txt", ".xml", ".yaml", ".yml"}
)


class PlaceReading(NamedTuple):
    """One way to understand where a file lies: which prompt it is of, by its id or its text, and which image of it.

    Attributes:
        prompt_id: The id; None if the place does not say one.
        text: The text of the prompt; None if the place does not say it.
        sample: Its number among the images of the prompt, as it is written; None if none is.
    """

    prompt_id: str | None = None
    text: str | None = None
    sample: int | None = None


class ToldText(NamedTuple):
    """The text of a prompt that something beside an image says, and what says it."""

    by: str
    text: str


@dataclass(frozen=True)
class FoundImage:
    """An image that a layout finds.

    Attributes:
        file: The path of its file within the source, with slashes.
        readings: Ways to understand its place, the likelier first: the first that names a prompt of a set counts.
        alone: The way that counts where there is no prompt set; None where the place then says nothing.
        facts: What the source says of it, by columns: those of a generated image, ``caption``, and further ones.
        misnamed: What is wrong with its name; empty where it is one that the layout gives.
        is_supposed: Whether the readings are what a name may mean, and no layout or table of a known form says so.
        folder: The folder that a layout has for a model; None where there is none, or a layout cannot know which it is.
        tile: Which part of its file it is, counted from 0 row by row; None for the whole.
        told: What is written of it beside its name; None where nothing is.
    """

    file: str
    readings: tuple[PlaceReading, ...] = ()
    alone: PlaceReading | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    misnamed: str = ""
    is_supposed: bool = False
    folder: str | None = None
    tile: int | None = None
    told: "ToldText | None" = None


@dataclass(frozen=True)
class SourceFolder:
    """A folder of images, listed once.

    Attributes:
        root: Where it lies.
        names: Paths within it of all that lies there, with slashes, in the order in which people count.
        on_disk: What names of them are there, where that is no UTF-8.
    """

    root: ReadPath
    names: tuple[str, ...]
    on_disk: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """The names of what may be pictures: all but what has the ending of a table, a text or a program."""
        return tuple(name for name in self.names if PurePosixPath(name).suffix.lower() not in BESIDE)

    @cached_property
    def known(self) -> frozenset[str]:
        """All names, to look one up."""
        return frozenset(self.names)

    def path(self, name: str) -> ReadPath:
        """Return where a name lies."""
        return self.root / self.on_disk.get(name, name)


class ImportLayout(NamedTuple):
    """How some program lays images out in a folder.

    Attributes:
        benchmark: What the column ``benchmark`` says where nobody names a prompt set; empty for none.
        recognise: Says, in words, why a folder has this layout; None where it has not, or where nobody could tell.
        images: Yields the images, in the order of their names.
        grid: Tiles of a file, across and down; (1, 1) where each file is one image.
        recognise_asked: The same as ``recognise`` by the kind of the prompt set that is asked for, of sets whose names
            alone are not enough.
        unseen: Yields prompts that the folder names and has no image of, each as an image that is not there.
    """

    benchmark: str
    recognise: Callable[[SourceFolder], str | None]
    images: Callable[[SourceFolder], Iterator[FoundImage]]
    grid: tuple[int, int] = (1, 1)
    recognise_asked: Mapping[str, Callable[[SourceFolder], str | None]] = MappingProxyType({})
    unseen: Callable[[SourceFolder], Iterable[FoundImage]] = lambda source: ()


def list_folder(root: ReadPath) -> SourceFolder:
    """Return what lies below a folder, links followed, hidden names left out.

    Raises:
        DataError: If it cannot be opened, nothing lies there, or two names differ in bytes alone that are no UTF-8.
    """
    try:
        found = everything_below(root)
    except OSError as error:
        raise DataError(f"{root}: cannot be opened as a folder of images: {error.strerror or error}") from error
    names: dict[str, str] = {}
    for path in found:
        there = path.relative_to(root).as_posix()
        name = valid_name(there)
        if name in names:
            raise DataError(f"{root}: two files are called {name!r} but for bytes that are no UTF-8; rename one")
        names[name] = there
    if not names:
        raise DataError(f"{root}: no files there")
    odd = {name: there for name, there in names.items() if name != there}
    return SourceFolder(root, tuple(sorted(names, key=counted)), odd)


def words_of_name(name: str) -> str:
    """Return the text that a name stands for: underscores are spaces where it has no others.

    >>> words_of_name("a_red_boat"), words_of_name("a red_boat")
    ('a red boat', 'a red_boat')
    """
    return name if " " in name else name.replace("_", " ").strip()


def counted(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return what sorts names as people count: 9 before 10; names that differ in zeros alone keep an order.

    >>> sorted(["b10.png", "b9.png", "a.png"], key=counted)
    ['a.png', 'b9.png', 'b10.png']
    """
    parts = re.split(r"(\d+)", name)
    return tuple((1, int(part), part) if part.isascii() and part.isdigit() else (0, 0, part) for part in parts)


def is_number(text: str | None) -> bool:
    """Return whether a text is a whole number alone, which a program may have counted.

    >>> is_number("00003"), is_number("coco_3"), is_number(None)
    (True, False, False)
    """
    return bool(text) and str(text).isascii() and str(text).isdigit()


def numbered_name(stem: str) -> tuple[str, int] | None:
    """Return what stands before the number at the end of a name, and the number; None where none is.

    >>> numbered_name("a red boat_000003"), numbered_name("cat (2)"), numbered_name("cat")
    (('a red boat', 3), ('cat', 2), None)
    """
    found = re.fullmatch(r"(.*?)(?:[_-]| ?\()([0-9]{1,9})\)?", stem, re.DOTALL)
    return (found[1], int(found[2])) if found and found[1] else None
