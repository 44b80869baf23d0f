"""Which image of a list a detection is of: by its id, or by a file name.

Programs write ``image_id`` as a number, as text, as the name of the file or as that without its ending; some put
``file_name`` beside it. A detection is of an image where what it says names one of the list alone.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from diptych.data.numbered_ids import NumberedIds
from diptych.evaluate.imports.file_names import FileNames
from diptych.evaluate.imports.matched import first_of
from diptych.evaluate.imports.matching import SEVERAL_IMAGES

CocoId: TypeAlias = int | str

NO_ID, TWO_IMAGES = "no image of that id", "an id and a file name of two images"


class FoundId(NamedTuple):
    """The id of an image in its list, or why a detection is of none, and what it says, in words."""

    id: CocoId | None
    misfit: str = ""
    says: str = ""


class ListedImages:
    """The images of a list: files by id."""

    def __init__(self, files: Mapping[CocoId, str]) -> None:
        """Look at the list."""
        self.files = files
        self._ids = list(files)
        self._names = FileNames(files.values())
        self._by_word = {str(one): one for one in files}
        self._numbered = NumberedIds(self._by_word)

    def find(self, detection: Mapping[str, Any]) -> FoundId:
        """Return which image a detection is of: an id goes before a file name, and these before a bare number."""
        given, name = detection.get("image_id"), detection.get("file_name")
        known = coco_id(given)
        beside = self._of_name(name)
        if known is not None and known in self.files and not isinstance(given, str):
            told = f"image_id {known} is {self.files[known]!r}, and file_name says {name!r}"
            return FoundId(known) if beside <= {known} or len(beside) > 1 else FoundId(None, TWO_IMAGES, told)
        if len(beside) == 1:
            return FoundId(beside.pop())
        named = self._of_name(given) | ({known} & self.files.keys() if known is not None else set())
        if not named and known is not None and (meant := self._numbered.find(str(known))) is not None:
            named = {self._by_word[meant]}
        if len(named) > 1:
            return FoundId(
                None, SEVERAL_IMAGES, f"image_id {given!r} may be {first_of(self.files[one] for one in named)}"
            )
        return FoundId(named.pop()) if named else FoundId(None, NO_ID)

    def _of_name(self, name: Any) -> set[CocoId]:
        return {self._ids[number] for number in self._names.find(name)} if isinstance(name, str) else set()

    def both_sides(self, detections: Iterable[Mapping[str, Any]]) -> str:
        """Return the first ids of detections and of the list, in words."""
        theirs = first_of(_shown(one.get("image_id")) for one in detections)
        return f"image_id {theirs}, where the list has {first_of(self._ids)}, {first_of(self.files.values())}"


def coco_id(value: Any) -> CocoId | None:
    """Return an id as it counts: a whole number, however it is written, or a text; None for anything else.

    >>> coco_id(1.0), coco_id("1"), coco_id("00001"), coco_id(True), coco_id(1.5)
    (1, 1, '00001', None, None)
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19 and str(int(value)) == value:
        return int(value)
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _shown(value: Any) -> CocoId | None:
    return value if isinstance(value, int | str) else repr(value)
