"""What a file about many pictures says of each: by the name by which it calls the picture."""

import json
import posixpath
from collections.abc import Callable, Iterable
from pathlib import PurePath, PurePosixPath
from typing import Any

from diptych.curate.sources.file_tree import FileTree
from diptych.curate.sources.files import readable
from diptych.curate.sources.json_facts import Facts
from diptych.curate.sources.marked_text import text_of
from diptych.curate.sources.sidecars import in_one_form

CAPTIONS = "captions"  # all captions of a picture of which more are told; "caption" is the first

Lookup = Callable[[PurePosixPath], Facts | None]  # from the path of a picture, counted from the file's own folder


def objects_under(value: Any, key: str) -> list[dict[str, Any]]:
    """Return the objects listed under a key; none where there is no such list."""
    found = value.get(key) if isinstance(value, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def by_name(facts: Iterable[tuple[str, Facts]]) -> Lookup:
    """Return the lookup of facts about pictures, each with the name by which a file calls its picture."""
    known = {in_one_form(place_meant(name)): row for name, row in facts}
    return lambda place: known.get(in_one_form(place.as_posix()))


def place_meant(name: str, whole: str = "") -> str:
    """Return the place that a name means; of a path into the folder whose whole path is given, the place within it."""
    place = posixpath.normpath(name.replace("\\", "/"))
    return place.removeprefix(f"{whole}/") if whole else place


def json_of(file: PurePath, tree: FileTree) -> Any:
    """Return what a file of JSON holds.

    Raises:
        DataError: If it cannot be read.
    """
    with readable(file, "JSON"):
        return json.loads(text_of(tree.read(file)))
