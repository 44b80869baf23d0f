"""WebDataset tars: members with the same base name are one row, see ``tar_layout``.

The headers of a tar are read first. In a plain tar the members are then sought wherever they stand; in a packed one,
which can only be read from its beginning, the members of a row have to follow each other.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.config import CAPTION_KEY, WebDataset
from diptych.curate.sources.bounded import in_tables
from diptych.curate.sources.column_types import column_of_json, with_carried
from diptych.curate.sources.columns import CAPTION_KEYS, caption_text, carried_names, clean_text, first_text
from diptych.curate.sources.contract import BYTES, NAME, NOTE, PROBLEM, Part, Tables
from diptych.curate.sources.files import find_files, readable
from diptych.curate.sources.json_facts import Facts, ReadFacts, facts_of
from diptych.curate.sources.marked_text import text_of
from diptych.curate.sources.tar_layout import MemberKeys
from diptych.curate.sources.tar_listing import NO_NAME, list_tar
from diptych.curate.sources.tar_reading import TarSample, sought, streamed
from diptych.curate.sources.tars import SUFFIXES, packing
from diptych.data.schema import MEMBER


class WebDatasetSource:
    """See ``WebDataset`` in the config."""

    def __init__(self, settings: WebDataset) -> None:
        """Take the settings."""
        self._settings = settings
        self._carried = carried_names(settings.columns, taken=(MEMBER,))
        named = settings.caption_key if settings.caption_key != CAPTION_KEY else None  # what is found in any case
        self._caption_keys = (named,) if named else CAPTION_KEYS
        keys = MemberKeys(*(key and key.lower().lstrip(".") for key in (settings.image_key, named)))
        self._listed = lru_cache(maxsize=1)(partial(list_tar, keys=keys))

    def parts(self) -> Sequence[Part]:
        """Return a part for each tar."""
        files = find_files(self._settings.path, SUFFIXES)
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

    def _rows(self, samples: list[TarSample], file: str) -> pa.Table:
        read = [_parse(sample) for sample in samples]
        facts = [one.facts for one in read]
        captions = [self._caption(*pair) for pair in zip(samples, facts, strict=True)]
        notes = [self._note(*pair) for pair in zip(read, captions, strict=True)]
        problems = [self._problem(*pair) for pair in zip(samples, captions, strict=True)]
        names = pa.array([clean_text(sample.row.name) for sample in samples], pa.string())
        is_named = pc.not_equal(names, NO_NAME)
        columns = {
            "caption": pa.array(captions, pa.string()),
            "url": pa.array([clean_text(fact.get("url")) for fact in facts], pa.string()),
            PROBLEM: pa.array(problems, pa.string()),
            BYTES: pa.array([sample.content(sample.row.picture) for sample in samples], pa.binary()),
            NAME: pc.if_else(is_named, names, None),
            NOTE: pa.array(notes, pa.string()),
            MEMBER: pc.if_else(is_named, names, clean_text(Path(file).name)),
        }
        for final, name in self._carried.items():
            values = [fact.get(name) for fact in facts]
            columns[final] = column_of_json(values, name, self._settings.types, file)
        return with_carried(columns, self._carried, self._settings.types)

    def _caption(self, sample: TarSample, fact: Facts) -> str | None:
        if self._settings.caption_key is None:
            return None
        texts = (text_of(sample.content(number) or b"", "replace") for number in sample.row.texts)
        text = next(filter(None, map(first_text, texts)), None)  # an empty one hides none
        told = (caption_text(fact.get(key), self._settings.caption_list) for key in self._caption_keys)
        return text or next(filter(None, told), None)

    def _note(self, read: ReadFacts, caption: str | None) -> str | None:
        """Return what is wrong with the .json member, where something that it might have said is missing."""
        is_wanted = bool(self._carried) or (caption is None and self._settings.caption_key is not None)
        return f"the .json member {read.problem}" if is_wanted and read.problem else None

    def _problem(self, sample: TarSample, caption: str | None) -> str | None:
        lacks_caption = caption is None and self._settings.caption_key is not None
        return clean_text(sample.problem or (sample.row.uncaptioned if lacks_caption else None))

    def _samples(self, file: str, start: int) -> Iterator[TarSample]:
        """Yield the rows of a tar from one on."""
        listing = self._listed(file)
        if not listing.names:
            yield from (TarSample(row, row.problem) for row in listing.rows[start:])
            return
        read = sought if self.jumps(file) else streamed
        yield from read(file, listing, start)


def _parse(sample: TarSample) -> ReadFacts:
    data = sample.content(sample.row.facts)
    return facts_of(data) if data is not None else ReadFacts({})
