"""Whether the ids of detections are those of the file of names, or count otherwise.

Ids that are shifted by one are mostly those of another image or category, so that boxes would be judged as what they
are not; one id that nothing is called by gives them away. Where all happen to be known, nobody can tell from them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from diptych.data.same_text import is_same_text
from diptych.errors import DataError
from diptych.evaluate.imports.coco_images import CocoId, coco_id
from diptych.storage.store_path import ReadPath


class KnownIds(NamedTuple):
    """What ids of detections stand for.

    Attributes:
        key: Of a detection, that has an id.
        names: By id.
        name_key: Of a detection, that may have the name too.
        are_classes: Whether detectors count what they stand for themselves, where COCO's own ids have gaps.
    """

    key: str
    names: Mapping[CocoId, str]
    name_key: str
    are_classes: bool = False


def check_ids(found: Sequence[Any], known: KnownIds, file: ReadPath) -> None:
    """Check that ids which are not known are no sign of others that mean something else.

    Raises:
        DataError: If all ids would be known counted otherwise, or a detection has the name of another id.
    """
    ids = set[int]()
    for number, one in enumerate(found, start=1):
        if isinstance(one, Mapping):
            _check_name(one, known, f"{file}: record {number}")
            ids |= {key} if isinstance(key := coco_id(one.get(known.key)), int) else set()
    unknown = sorted(ids - known.names.keys())
    for how, is_known in _other_counts(known).items() if unknown else ():
        if all(map(is_known, ids)):
            raise DataError(
                f"{file}: {known.key}: {unknown[0]} stands for nothing in the file of names, and all of them would for "
                f"something if they {how}; write the ids of that file, or take out what is about none of it"
            )


def _check_name(one: Mapping[str, Any], known: KnownIds, place: str) -> None:
    told, number = one.get(known.name_key), one.get(known.key)
    key = coco_id(number)
    meant = known.names.get(key) if key is not None else None
    if isinstance(told, str) and meant is not None and not _are_one(told, meant):
        raise DataError(
            f"{place}: {known.key} {number!r} is {meant!r} in the file of names, and {known.name_key} says {told!r}; "
            f"give the names that these ids are of"
        )


def _other_counts(known: KnownIds) -> dict[str, Callable[[int], bool]]:
    """Return, in words, how else ids may count, and whether one would be known then."""
    most = len(known.names)
    shifted: dict[str, Callable[[int], bool]] = {
        "were one more": lambda one: one + 1 in known.names,
        "were one less": lambda one: one - 1 in known.names,
    }
    in_order: dict[str, Callable[[int], bool]] = {
        "are places in its list, from 0": lambda one: 0 <= one < most,
        "are places in its list, from 1": lambda one: 1 <= one <= most,
    }
    return {**shifted, **in_order} if known.are_classes else shifted


def _are_one(told: str, meant: str) -> bool:
    """Return whether two names are one, in whatever case, where either may be a path."""
    one, other = (name.replace("\\", "/").rpartition("/")[2] for name in (told, meant))
    return is_same_text(one, other)
