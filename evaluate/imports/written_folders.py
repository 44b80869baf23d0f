"""In which folder records have the images that they name, where that decides whose they are.

Two models' folders hold files of the same names: ``sdxl/00000/samples/00000.png`` and ``flux/00000/samples/00000.png``
of one file of evidence are both ``00000/samples/00000.png`` of a dataset. So where one image is named in two folders,
those count that are the dataset's own: the one called after its model, or the one that its source's path ends with
furthest. Where neither says which, nothing is guessed.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from diptych.data.prompt_sets import MADE_BY
from diptych.data.schema import FILE
from diptych.errors import DataError
from diptych.evaluate.imports.contract import EvidenceRecord

OTHER_FOLDER = "of another folder"
Parts = tuple[str, ...]


class OwnFolders(NamedTuple):
    """What a dataset's own images may lie in: the path of its source, and the models that it has."""

    source: Parts
    models: frozenset[str]

    def shared(self, folder: Parts) -> int:
        """Return how much of the end of a folder's path is the dataset's own."""
        pairs = enumerate(zip(reversed(folder), reversed(self.source), strict=False))
        count = next((at for at, (one, other) in pairs if one != other), min(len(folder), len(self.source)))
        return max(count, int(folder[-1:] != () and folder[-1] in self.models))


class _InFolder(NamedTuple):
    row: int
    folder: Parts
    record: EvidenceRecord


def own_folders(manifest: Mapping[str, Any], models: Sequence[str | None]) -> OwnFolders:
    """Return what a dataset says of its folders."""
    made_by = manifest.get(MADE_BY)
    told = made_by.get("import") if isinstance(made_by, Mapping) else None
    source = told.get("source") if isinstance(told, Mapping) else None
    return OwnFolders(_parts(str(source)) if source else (), frozenset(filter(None, models)))


def of_other_folders(
    records: Mapping[int, Sequence[EvidenceRecord]], files: Sequence[str | None], own: OwnFolders
) -> Iterator[tuple[int, EvidenceRecord, str]]:
    """Yield the records, with their rows, that name another image than the dataset's, and what they say; in words.

    Args:
        records: By the row that they may be about.
        files: Of each row.
        own: The dataset's own folders.

    Raises:
        DataError: If one image is named in several folders, and which is the dataset's cannot be told.
    """
    written = [
        _InFolder(row, _folder_of(record, files[row]), record) for row, some in records.items() for record in some
    ]
    twice = _first_conflict(written)
    if twice is None:
        return
    folders = {one.folder for one in written if one.folder}
    most = max(map(own.shared, folders))
    kept = [folder for folder in folders if own.shared(folder) == most]
    if not most or not all(_are_one(one, other) for one in kept for other in kept):
        one, other = twice
        raise DataError(
            f"{one.record.place}: names {_shown(one)}, and {other.record.place} {_shown(other)}, where the dataset has "
            f"one image, {files[one.row]!r}; say whose images each file is about with --model, or give one model"
        )
    for one in written:
        if one.folder and not any(_are_one(one.folder, folder) for folder in kept):
            yield one.row, one.record, f"{_shown(one)}, where the dataset's are in {'/'.join(kept[0])!r}"


def _folder_of(record: EvidenceRecord, file: str | None) -> Parts:
    """Return what a record writes before the path that the dataset has; nothing where it writes no more than that."""
    name = record.image.get(FILE)
    if name is None or file is None:
        return (record.folder,) if record.folder else ()
    parts, inner = _parts(name), len(_parts(file))
    return parts[:-inner] if inner else ()


def _parts(path: str) -> Parts:
    plain = PurePosixPath(unicodedata.normalize("NFC", path.replace("\\", "/")))
    return tuple(part for part in plain.parts if part != "/")


def _first_conflict(written: Sequence[_InFolder]) -> tuple[_InFolder, _InFolder] | None:
    """Return the first two records that have one image in two folders, of which not the same is said."""
    by_row: dict[int, dict[Parts, list[_InFolder]]] = {}
    for one in written:
        by_row.setdefault(one.row, {}).setdefault(one.folder, []).append(one)
    for folders in by_row.values():
        for some, others in combinations(folders.values(), 2):
            is_same = Counter(repr(one.record.said) for one in some) == Counter(repr(one.record.said) for one in others)
            if not is_same and not _are_one(some[0].folder, others[0].folder):
                return some[0], others[0]
    return None


def _are_one(one: Parts, other: Parts) -> bool:
    """Return whether the shorter of two paths is the end of the longer one."""
    shorter, longer = sorted((one, other), key=len)
    return longer[len(longer) - len(shorter) :] == shorter


def _shown(written: _InFolder) -> str:
    name = written.record.image.get(FILE)
    return repr(name) if name is not None else f"an image in {'/'.join(written.folder)!r}"
