"""WebDataset tars: members with the same base name are one row, see ``tar_layout``.

The headers of a tar are read first, and the members that say something of many pictures, such as ``metadata.jsonl``.
In a plain tar the members are then sought wherever they stand; in a packed one, which can only be read from its
beginning, the members of a row have to follow each other.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.config import CAPTION_KEY, WebDataset
from diptych.curate.sources.bounded import in_tables
from diptych.curate.sources.caption_files import CaptionFiles, names_of
from diptych.curate.sources.column_types import column_of_json, with_carried
from diptych.curate.sources.columns import CAPTION_KEYS, caption_text, carried_names, clean_text, first_text
from diptych.curate.sources.contract import BYTES, NAME, NOTE, PROBLEM, Part, Tables
from diptych.curate.sources.file_tree import TarTree
from diptych.curate.sources.files import find_files, readable
from diptych.curate.sources.json_facts import Facts, ReadFacts, facts_of, said_under
from diptych.curate.sources.marked_text import text_of
from diptych.curate.sources.packings import packing
from diptych.curate.sources.sidecars import in_one_form
from diptych.curate.sources.tar_layout import MemberKeys, TarRow
from diptych.curate.sources.tar_listing import NO_NAME, TarListing, list_tar
from diptych.curate.sources.tar_reading import TarSample, sought, streamed
from diptych.curate.sources.tars import SUFFIXES
from diptych.data.schema import MEMBER
from diptych.errors import DataError
from diptych.storage.store_path import read_path

NOT_IN_TAR = "unreadable: a file about many pictures names it, and it is not in the tar"


class _LookedAt(NamedTuple):
    """What is in a tar, and what its members say that say something of many pictures; None where there are none."""

    listing: TarListing
    about_many: CaptionFiles | None


class _SaidOfMember(NamedTuple):
    """What is said of a picture: by its own .json, and by a file about many, or why that cannot be read."""

    own: ReadFacts
    about_many: Facts
    unread: str | None = None

    def fact(self, name: str) -> Any:
        """Return what is said under a name, by the picture's own .json where that says something there."""
        found = said_under(self.own.facts, name)
        return said_under(self.about_many, name) if found is None else found


class WebDatasetSource:
    """See ``WebDataset`` in the config."""

    def __init__(self, settings: WebDataset) -> None:
        """Take the settings."""
        self._settings = settings
        self._carried = carried_names(settings.columns, taken=(MEMBER,))
        named = settings.caption_key if settings.caption_key != CAPTION_KEY else None  # what is found in any case
        self._caption_keys = (named,) if named else CAPTION_KEYS
        self._keys = MemberKeys(*(key and key.lower().lstrip(".") for key in (settings.image_key, named)))
        self._looked_at = lru_cache(maxsize=1)(self._look)

    def parts(self) -> Sequence[Part]:
        """Return a part for each tar."""
        files = find_files(read_path(self._settings.path), SUFFIXES)
        return [Part(file.name, (str(file),)) for file in files]

    def tables(self, files: Sequence[str], start: int = 0) -> Tables:
        """Yield pictures, captions and the named keys of the .json members."""
        with readable(files[0], "tar"):
            samples = self._samples(files[0], start)
            yield from in_tables(samples, lambda sample: sample.size, lambda some: self._rows(some, files[0]))

    def jumps(self, file: str) -> bool:
        """Return whether it is a plain tar, in which members are passed over unread, and not a packed one."""
        with readable(file, "tar"):
            return not packing(file)

    @property
    def _is_told(self) -> bool:
        """Whether it matters what a file says of many pictures."""
        return self._settings.caption_key is not None or bool(self._carried)

    def _look(self, file: str) -> _LookedAt:
        listing = list_tar(file, keys=self._keys)
        tree = listing.tree
        if not (tree.contents and self._is_told):
            return _LookedAt(listing, None)
        about = CaptionFiles(tree, texts=self._caption_keys)
        known = names_of(map(tree.path, listing.names))
        named = dict.fromkeys(path for path in _named(about, tree) if in_one_form(str(path)) not in known)
        missing = [
            TarRow(str(path).removeprefix(f"{tree.root}/"), number, problem=NOT_IN_TAR)
            for number, path in enumerate(named, len(listing.names))
        ]
        return _LookedAt(listing._replace(rows=[*listing.rows, *missing]), about)

    def _rows(self, samples: list[TarSample], file: str) -> pa.Table:
        said = [self._said(sample, file) for sample in samples]
        captions = [self._caption(*pair) for pair in zip(samples, said, strict=True)]
        notes = [self._note(*three, file) for three in zip(samples, said, captions, strict=True)]
        problems = [self._problem(*pair) for pair in zip(samples, captions, strict=True)]
        names = pa.array([clean_text(sample.row.name) for sample in samples], pa.string())
        is_named = pc.not_equal(names, NO_NAME)
        columns = {
            "caption": pa.array(captions, pa.string()),
            "url": pa.array([clean_text(one.fact("url")) for one in said], pa.string()),
            PROBLEM: pa.array(problems, pa.string()),
            BYTES: pa.array([sample.content(sample.row.picture) for sample in samples], pa.binary()),
            NAME: pc.if_else(is_named, names, None),
            NOTE: pa.array(notes, pa.string()),
            MEMBER: pc.if_else(is_named, names, clean_text(Path(file).name)),
        }
        for final, name in self._carried.items():
            values = [one.fact(name) for one in said]
            columns[final] = column_of_json(values, name, self._settings.types, file)
        return with_carried(columns, self._carried, self._settings.types)

    def _said(self, sample: TarSample, file: str) -> _SaidOfMember:
        data = sample.content(sample.row.facts)
        own = facts_of(data) if data is not None else ReadFacts({})
        looked_at = self._looked_at(file)
        if looked_at.about_many is None or not sample.row.file:
            return _SaidOfMember(own, {})
        try:
            return _SaidOfMember(own, looked_at.about_many.facts(looked_at.listing.tree.path(sample.row.file)) or {})
        except DataError as error:  # of this tar, and no fault of the others
            return _SaidOfMember(own, {}, str(error))

    def _caption(self, sample: TarSample, said: _SaidOfMember) -> str | None:
        if self._settings.caption_key is None:
            return None
        texts = (text_of(sample.content(number) or b"", "replace") for number in sample.row.texts)
        text = next(filter(None, map(first_text, texts)), None)  # an empty one hides none
        told = (said_under(facts, key) for facts in (said.own.facts, said.about_many) for key in self._caption_keys)
        return text or next(filter(None, (caption_text(one, self._settings.caption_list) for one in told)), None)

    def _note(self, sample: TarSample, said: _SaidOfMember, caption: str | None, file: str) -> str | None:
        """Return what is wrong with the .json or a file about many, where what it might have said is missing."""
        lacks_caption = caption is None and self._settings.caption_key is not None
        if not (self._carried or lacks_caption):
            return None
        if said.own.problem:
            return f"the .json member {said.own.problem}"
        if said.unread:
            return clean_text(said.unread)
        looked_at = self._looked_at(file)
        if looked_at.about_many is None or not sample.row.file:
            return None
        picture = looked_at.listing.tree.path(sample.row.file)
        return looked_at.about_many.problem(picture, lacks_caption=lacks_caption)

    def _problem(self, sample: TarSample, caption: str | None) -> str | None:
        lacks_caption = caption is None and self._settings.caption_key is not None
        return clean_text(sample.problem or (sample.row.uncaptioned if lacks_caption else None))

    def _samples(self, file: str, start: int) -> Iterator[TarSample]:
        """Yield the rows of a tar from one on."""
        listing = self._looked_at(file).listing
        if not listing.names:
            yield from (TarSample(row, row.problem) for row in listing.rows[start:])
            return
        read = sought if self.jumps(file) else streamed
        yield from read(file, listing, start)


def _named(about: CaptionFiles, tree: TarTree) -> Iterator[PurePath]:
    """Yield the pictures that files about many name, where these can be read; else the rows of others say why not."""
    for file in tree.contents:
        with suppress(DataError):
            yield from about.named([file])
