"""Pictures by the numbers in their names, as GenEval lays them out: ``00012/samples/00003.png``.

Whatever a name counts from, a picture and what is said of it have the same one; the ``sample`` of a row counts from 0.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

PLACE = re.compile(
    r"(?:.*?(?P<folder>[^/\\]*)[/\\])?(?P<prompt>\d{1,18})[/\\]samples[/\\](?P<sample>\d{1,18})\.[A-Za-z]+"
)


class SampleFile(NamedTuple):
    """What a name says: the prompt, as it is written, the number of the picture, and the folder above the prompt's."""

    prompt: str
    sample: int
    folder: str

    @property
    def numbers(self) -> tuple[int, int]:
        """Of prompt and picture."""
        return int(self.prompt), self.sample


def sample_file(name: str) -> SampleFile | None:
    """Return what the path of a picture says; None where it ends otherwise.

    >>> sample_file("/out/sdxl/00012/samples/00003.png")
    SampleFile(prompt='00012', sample=3, folder='sdxl')
    """
    found = PLACE.fullmatch(name)
    return None if found is None else SampleFile(found["prompt"], int(found["sample"]), found["folder"] or "")


class SampleFiles:
    """The pictures of a dataset that have such names.

    Attributes:
        places: The row of each, and what its name says.
    """

    def __init__(self, files: Iterable[str | None]) -> None:
        """Look at the name of the picture of each row; None where it has none."""
        said = ((row, None if name is None else sample_file(name)) for row, name in enumerate(files))
        self.places = [(row, place) for row, place in said if place is not None]
        self._rows: dict[tuple[int, int], list[tuple[int, str]]] = {}
        for row, place in self.places:
            self._rows.setdefault(place.numbers, []).append((row, place.folder))

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.places)

    def find(self, place: SampleFile, is_meant: Callable[[int], bool]) -> Sequence[int]:
        """Return the rows that a name may be of, among those that are meant: those of its folder before others."""
        found = [(row, folder) for row, folder in self._rows.get(place.numbers, ()) if is_meant(row)]
        return [row for row, folder in found if folder == place.folder] or [row for row, _ in found]
