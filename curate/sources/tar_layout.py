"""Which members of a tar make one row: those with one base name, wherever they stand in it.

The base name ends at the first dot of the file's name, as WebDataset has it, so that ``0.mask.png`` beside ``0.jpg`` is
no picture of its own, unless it has a text of its own; nor is ``1.mask.png`` alone in the same tar. Of a base name that
has no picture of the kind ``0.jpg`` those of the kind ``0.input.jpg`` are taken; where it has several, as
``img.v1.0.jpg`` and ``img.v1.1.jpg``, the base name ends at the last dot. A member whose very name comes again begins
another row where each has a picture; else the last one counts, as it does to ``tar -x``. In no row is what a folder
leaves out, too: a name that begins with a dot, as the ``._0.jpg`` that macOS puts beside each ``0.jpg``, what lies in a
folder ``__MACOSX``, and GenEval's ``grid.png``. Nothing is read.
"""

import posixpath
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import pairwise, takewhile
from typing import NamedTuple

from diptych.curate.sources.columns import CAPTION_KEYS
from diptych.curate.sources.file_tree import unpacked_name
from diptych.curate.sources.image_suffixes import IMAGE_SUFFIXES, READ
from diptych.curate.sources.sidecars import in_one_form
from diptych.data.folder_walk import GRID, OF_MACOS, SAMPLES

TEXT_SUFFIXES = ("txt", "caption", "text")
FACTS_SUFFIX = "json"
MAYBE_BEHIND = "its caption may be behind that; caption_key: null takes pictures without"


class TarRow(NamedTuple):
    """The members of a row, by their numbers in the tar; None where there is none.

    Attributes:
        name: Their base name.
        first: The first of all members with that name.
        picture: The picture.
        texts: Of which the first that is not empty is the caption.
        facts: A .json.
        problem: Why there is no picture, where there are some that could be meant; or why members may be missing.
        uncaptioned: The problem, where the row turns out to have no caption.
        file: The name of the member that is the picture, also where that is a link to another one.
    """

    name: str
    first: int
    picture: int | None = None
    texts: tuple[int, ...] = ()
    facts: int | None = None
    problem: str | None = None
    uncaptioned: str | None = None
    file: str = ""

    @property
    def members(self) -> tuple[int, ...]:
        """The numbers of the members to read, ascending."""
        return tuple(sorted({one for one in (self.picture, *self.texts, self.facts) if one is not None}))

    @property
    def last(self) -> int:
        """The number of the last member to read, or of the first of all where none is read."""
        return max((self.first, *self.members))


class MemberKeys(NamedTuple):
    """What a config says of members by what is behind their base names; None where it says nothing.

    Attributes:
        image: Of pictures: ``input.jpg``, or ``input`` with whatever suffix.
        caption: Of texts: those called ``prompt`` go before others, and a member ``0.prompt`` is one, too.
    """

    image: str | None = None
    caption: str | None = None


class _Named(NamedTuple):
    number: int
    suffix: str  # lower case, behind the base name

    @property
    def stem(self) -> str:
        return self.suffix.rpartition(".")[0]

    @property
    def last(self) -> str:
        return self.suffix.rpartition(".")[2]

    @property
    def is_image(self) -> bool:
        return self.last in IMAGE_SUFFIXES


NOTHING_SAID = MemberKeys()


def rows_of_members(names: Sequence[str], keys: MemberKeys = NOTHING_SAID) -> list[TarRow]:
    """Return the rows that members make, in the order of their first members.

    >>> rows_of_members(["0.jpg", "1.jpg", "0.txt", "1.caption.txt"])[1]
    TarRow(name='1', first=1, picture=1, texts=(3,), facts=None, problem=None, uncaptioned=None, file='')
    """
    groups: dict[str, list[_Named]] = {}
    folders = {posixpath.dirname(name) for name in map(unpacked_name, names)}
    for number, name in enumerate(map(unpacked_name, names)):
        if _is_left_out(name, folders):
            continue
        base, suffix = _split(in_one_form(name))
        groups.setdefault(base, []).append(_Named(number, suffix))
    groups = _joined_by_case(groups)
    maker = _RowMaker(keys, {suffix for members in groups.values() for suffix in _suffixes_beside(members)})
    rows = [row for base, members in groups.items() for row in maker.rows(base, members)]
    return sorted(rows, key=lambda row: row.first)


def rows_of_cut_tar(rows: Sequence[TarRow], problem: str) -> list[TarRow]:
    """Return the rows of a tar that ends too early: those that may lack members because of it have the problem.

    Where each row ends before the next one begins, that is the last row. Where members of a row stand behind those of
    other rows, as captions behind all pictures or before them, it is each row that has fewer of them than another, or
    turns out to have no caption. Where no row has a text yet, they may all be behind the pictures.
    """
    is_mixed = any(row.last > following.first or row.picture is None for row, following in pairwise(rows))
    has_texts = any(row.texts or row.facts is not None for row in rows)
    if is_mixed or not has_texts:
        rows = [row._replace(uncaptioned=f"{problem}; {MAYBE_BEHIND}") for row in rows]
    most = max((len(row.members) for row in rows), default=0)
    may_lack = [is_mixed and len(row.members) < most for row in rows[:-1]] + [True]
    return [row._replace(problem=problem) if lacks else row for row, lacks in zip(rows, may_lack, strict=False)]


def _joined_by_case(groups: dict[str, list[_Named]]) -> dict[str, list[_Named]]:
    """Return the groups, those without a picture put to the only one with a picture whose name is theirs in any case.

    So ``img_1.txt`` is the text of ``IMG_1.jpg`` where there is no ``img_1.jpg``.
    """
    alone = {base for base, members in groups.items() if not any(member.is_image for member in members)}
    if not alone:
        return groups
    by_case: dict[str, list[str]] = {}
    for base in groups.keys() - alone:
        by_case.setdefault(base.casefold(), []).append(base)
    joined = {base: members for base, members in groups.items() if base not in alone}
    for base in groups:
        if base in alone:
            others = by_case.get(base.casefold(), [])
            to = others[0] if len(others) == 1 else base
            joined[to] = sorted([*joined.get(to, ()), *groups[base]])
    return joined


def pictured(names: Iterable[str]) -> set[str]:
    """Return the base names of the members that are called like a picture."""
    parts = (_split(in_one_form(unpacked_name(name))) for name in names)
    return {base for base, suffix in parts if suffix.rpartition(".")[2] in IMAGE_SUFFIXES}


def _is_left_out(name: str, folders: Set[str]) -> bool:
    folder, base = posixpath.split(name)
    is_grid = base == GRID and posixpath.join(folder, SAMPLES) in folders
    return base.startswith(".") or is_grid or OF_MACOS in folder.split("/")


def _split(name: str) -> tuple[str, str]:
    folder, slash, base = name.rpartition("/")
    stem, _, suffix = base.partition(".")
    return f"{folder}{slash}{stem}", suffix.lower()


def _suffixes_beside(members: Sequence[_Named]) -> Iterable[str]:
    """Return the suffixes of pictures that stand beside one like 0.jpg, as 0.mask.png does, and have no text."""
    if not any(member.is_image and not member.stem for member in members):
        return []
    told = {member.stem for member in members if member.last in TEXT_SUFFIXES}
    return [member.suffix for member in members if member.is_image and member.stem and member.stem not in told]


class _RowMaker(NamedTuple):
    """Makes the rows of the members of one base name.

    Attributes:
        keys: What the config says of members.
        beside: Suffixes of pictures that, in this tar, stand beside others and are no rows of their own.
    """

    keys: MemberKeys
    beside: Set[str]

    def rows(self, base: str, members: Sequence[_Named]) -> list[TarRow]:
        """Return one row, or one for each picture where their names differ before the last dot."""
        by_stem: dict[str, list[_Named]] = {member.stem: [] for member in members if self._is_picture(member)}
        if len(by_stem) < 2:
            return self._in_turn(base, members, next(iter(by_stem), ""))
        shared = by_stem.get("", [])  # of all pictures with this base name, such as img.txt, where none is called so
        for member in members:
            nearest = _nearest(member.stem, by_stem)
            (shared if nearest is None else by_stem[nearest]).append(member)
        whole = self._row(base, shared) if shared and "" not in by_stem else None
        rows = [
            row
            for stem, each in by_stem.items()
            for row in self._in_turn(f"{base}.{stem}" if stem else base, each, stem)
        ]
        if whole is None:
            return rows
        return [row._replace(texts=(*row.texts, *whole.texts), facts=_or(row.facts, whole.facts)) for row in rows]

    def _in_turn(self, name: str, members: Sequence[_Named], stem: str) -> list[TarRow]:
        """Return the rows of members; a picture that comes again alone has the texts of the one before."""
        rows: list[TarRow] = []
        for some in _apart(members):
            row, is_alone = self._row(name, some, stem), bool(rows) and len(some) == 1
            rows.append(row._replace(texts=rows[-1].texts, facts=rows[-1].facts) if is_alone else row)
        return rows

    def _is_picture(self, member: _Named) -> bool:
        wanted = self.keys.image
        if wanted is not None:
            return member.suffix == wanted or (member.is_image and member.stem == wanted)
        return member.is_image and member.suffix not in self.beside

    def _row(self, name: str, members: Sequence[_Named], stem: str = "") -> TarRow:
        numbers = {_behind(member.suffix, stem): member.number for member in reversed(members)}
        meant = sorted((member for member in members if self._is_picture(member)), key=lambda one: one.last not in READ)
        pictures = [member.number for member in meant]
        others = [member.suffix for member in members if member.is_image]
        only = None if pictures or not others else f"no_image: of several kinds of pictures it has only {others[0]!r}"
        first, picture = members[0].number, pictures[0] if pictures else None
        return TarRow(name, first, picture, self._texts(numbers), _facts(numbers), only)

    def _texts(self, numbers: Mapping[str, int]) -> tuple[int, ...]:
        """Return what the config names, 0.txt, 0.caption.txt and the like, in this order; else the only text."""
        name = self.keys.caption
        wanted = [f"{name}.{suffix}" for suffix in TEXT_SUFFIXES] if name else []
        if name and name.rpartition(".")[2] not in (FACTS_SUFFIX, *IMAGE_SUFFIXES):
            wanted.append(name)
        wanted += TEXT_SUFFIXES
        wanted += [f"{name}.{suffix}" for name in CAPTION_KEYS for suffix in TEXT_SUFFIXES]
        found = dict.fromkeys(numbers[suffix] for suffix in wanted if suffix in numbers)
        texts = [number for suffix, number in numbers.items() if suffix.rpartition(".")[2] in TEXT_SUFFIXES]
        return tuple(found) if found else tuple(texts) if len(texts) == 1 else ()


def _facts(numbers: Mapping[str, int]) -> int | None:
    """Return 0.json, or 0.jpg.json beside 0.jpg; else the only .json, as 0.meta.json.

    >>> _facts({"jpg": 1, "jpg.json": 2, "info.json": 3}), _facts({"a.json": 1, "b.json": 2})
    (2, None)
    """
    every = [number for suffix, number in numbers.items() if suffix.rpartition(".")[2] == FACTS_SUFFIX]
    behind = [f"{suffix}.{FACTS_SUFFIX}" for suffix in numbers if suffix in IMAGE_SUFFIXES]
    own = (numbers[name] for name in (FACTS_SUFFIX, *behind) if name in numbers)
    return next(own, every[0] if len(every) == 1 else None)


def _nearest(stem: str, stems: Iterable[str]) -> str | None:
    """Return the stem that has more of its first parts in common with one than any other has; None where two have.

    >>> _nearest("v1.0.outputs", ["v1.0.input", "v1.1.input"]), _nearest("", ["left", "right"])
    ('v1.0.input', None)
    """
    ranked = sorted(((_in_common(stem, one), one == stem, one) for one in stems), reverse=True)
    (most, same, found), (next_most, next_same, _) = ranked[:2]
    return found if (most, same) > (next_most, next_same) else None


def _in_common(one: str, other: str) -> int:
    pairs = zip(one.split("."), other.split("."), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _behind(suffix: str, stem: str) -> str:
    """Return what of a suffix is behind the parts that it begins with as a stem does, at least its last part.

    >>> _behind("v1.0.txt", "v1.0"), _behind("v1.0.outputs.txt", "v1.0.input"), _behind("txt", "")
    ('txt', 'outputs.txt', 'txt')
    """
    parts = suffix.split(".")
    return ".".join(parts[min(_in_common(suffix, stem), len(parts) - 1) :])


def _or(own: int | None, other: int | None) -> int | None:
    return other if own is None else own


def _apart(members: Sequence[_Named]) -> list[list[_Named]]:
    """Return the members parted where a name comes again, but for what has no picture: of it the last ones count."""
    rows: list[list[_Named]] = [[]]
    seen: set[str] = set()
    for member in members:
        if member.suffix in seen:
            rows.append([])
            seen = set()
        rows[-1].append(member)
        seen.add(member.suffix)
    parted = rows[:1]
    for row in rows[1:]:
        if all(any(member.is_image for member in each) for each in (parted[-1], row)):
            parted.append(row)
        else:
            again = {member.suffix for member in row}
            parted[-1] = [member for member in parted[-1] if member.suffix not in again] + row
    return parted
