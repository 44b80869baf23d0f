"""What tables about images and prompts call their columns: the key of each, and which an unread one may be meant by.

A column is known in whatever case, with spaces or hyphens for underscores. Two of one table that differ in nothing else
are refused: nobody can know which is meant.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from diptych.errors import DataError
from diptych.lookup import nearest

# Key -> what the column is called that names an image by it; the first that is there counts.
IMAGE_NAMES: Mapping[str, tuple[str, ...]] = {
    "file": ("file", "file_name", "filename", "image", "image_path", "img_path", "path"),
    "prompt": ("prompt", "text", "caption"),
    "prompt_id": ("prompt_id", "item_id"),
    "model": ("model", "t2i_model"),
    "setting": ("setting",),
    "sample": ("sample", "sample_id"),
}
LIKELY = 0.75  # how much a column looks like one that is read, of which it may be a misspelling


@dataclass(frozen=True)
class ColumnNames:
    """What the columns of a table may be called.

    Attributes:
        names: Of columns, by key; the first that is there counts.
    """

    names: Mapping[str, Sequence[str]]
    _found: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict, init=False, repr=False)

    def found_in(self, there: Iterable[str], where: object) -> Mapping[str, str]:
        """Return key -> column of some columns, in their own spelling; a key that none has is left out.

        >>> ColumnNames(IMAGE_NAMES).found_in(["File Name", "Mood"], "a.csv:2")
        {'file': 'File Name'}

        Args:
            there: The columns.
            where: They stand, for messages.

        Raises:
            DataError: If two of them are called as one is, but for case, spaces and hyphens.
        """
        columns = tuple(there)
        if columns not in self._found:
            self._found[columns] = dict(self._find(columns, where))
        return self._found[columns]

    def _find(self, columns: Sequence[str], where: object) -> Iterable[tuple[str, str]]:
        plain: dict[str, list[str]] = {}
        for column in columns:
            plain.setdefault(plain_name(column), []).append(column)
        for key, names in self.names.items():
            alike = next((plain[name] for name in names if name in plain), [])
            if len(alike) > 1:
                said = " and ".join(map(repr, alike))
                raise DataError(
                    f"{where}: the columns {said} are called alike, and one is the {key}; rename the others"
                )
            if alike:
                yield key, alike[0]


def plain_name(name: str) -> str:
    """Return the name of a column in small letters, with an underscore for a space or a hyphen.

    >>> plain_name(" Prompt-ID")
    'prompt_id'
    """
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def likely_keys(unused: Sequence[str], names: Mapping[str, Sequence[str]], taken: Set[str]) -> dict[str, str]:
    """Return for each of some columns the key whose name it nearly has; empty where it has none.

    Args:
        unused: Columns that nothing reads.
        names: Of columns, by key.
        taken: Keys that a column has.

    >>> likely_keys(["modell", "mood"], IMAGE_NAMES, {"file"})
    {'modell': 'model', 'mood': ''}
    """
    free = {name: key for key, some in names.items() if key not in taken for name in some}
    likely = {name: nearest(plain_name(name), free, count=1, cutoff=LIKELY) for name in unused}
    return {name: free[close[0]] if close else "" for name, close in likely.items()}
