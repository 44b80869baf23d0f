"""What a page is given: everything that a report is made from, and the way from a row to its picture."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from diptych.config.identity import short_id
from diptych.data.column_names import full_name
from diptych.data.generated_columns import ATTRIBUTE_CLASS
from diptych.data.schema import FILE, MEMBER
from diptych.reports.config import ReportConfig
from diptych.reports.links import MISSING, Filter, gallery
from diptych.reports.read.audited import audited
from diptych.reports.read.columns import AUDIT, OURS, PICTURE, domain_of, filters
from diptych.reports.read.evidence import JudgeLook, SeenRecords, find_evidence, find_looks
from diptych.reports.read.numbers import count
from diptych.reports.read.pairs import pairs_of
from diptych.reports.read.picture_job import PREVIEWS, THUMBNAILS, Picture, file_of
from diptych.reports.read.pool import Pool
from diptych.reports.read.rows import ReportRows, as_text
from diptych.reports.read.stored import further_in
from diptych.store.store import Store

MAX_ALT = 140
COLOURS = 8  # that the style sheet has
SHOWN, BLURRED = "shown", "blurred"
DOMAIN = "domain"  # the facet of the host that a picture came from
MANY_VALUES = 1000  # of a column that the source brought along, as a filter; with more it stands beside an image
GROUPS = (
    "SELECT DISTINCT groups FROM results WHERE run_id = ?",
    "SELECT DISTINCT groups FROM audits WHERE run_id = ?",
)


def are_few(values: int, known: int) -> bool:
    """Return whether a column that nobody declared has so few different values that people can filter by them.

    Each is of two rows or more on average: nobody looks in a list for what rows have alone, as names of files.

    >>> are_few(4, 7), are_few(50, 50), are_few(60, 100), are_few(60, 120)
    (True, False, False, True)

    Args:
        values: Different ones.
        known: Rows that have one.
    """
    return values <= min(MANY_VALUES, (known + 1) // 2)


class Shot(NamedTuple):
    """A picture on a page.

    Attributes:
        row: Of the report.
        source: Address of the small copy; empty where there is none.
        preview: Address of the larger copy, or of the small one.
        text: What it is of, cut to a bearable length.
        href: The gallery, with this image open.
        note: What to say under it.
        is_blurred: Whether it is flagged.
        problem: Why there is no picture.
    """

    row: int
    source: str
    preview: str
    text: str
    href: str
    note: str
    is_blurred: bool
    problem: str


@dataclass(frozen=True)
class Report:
    """Everything that pages look at.

    Attributes:
        config: What was asked for.
        rows: The images.
        pictures: Of each row.
        pools: What was curated.
        store: What was evaluated; None where nothing was.
        run: The row of the run in the store; empty where there is none.
    """

    config: ReportConfig
    rows: ReportRows
    pictures: Sequence[Picture]
    pools: tuple[Pool, ...]
    store: Store | None
    run: Mapping[str, Any]

    def shot(self, row: int, note: str = "") -> Shot:
        """Return the picture of a row."""
        picture = self.pictures[row]
        source = file_of(THUMBNAILS, picture.thumbnail) if picture.thumbnail else ""
        preview = file_of(PREVIEWS, picture.thumbnail) if picture.has_preview else source
        caption = " ".join((self.rows.columns["caption"][row] or "").split())
        text = caption if len(caption) <= MAX_ALT else caption[: MAX_ALT - 1] + "\N{HORIZONTAL ELLIPSIS}"
        href = gallery({}, selected=row)
        return Shot(row, source, preview, text, href, note, picture.is_blurred, picture.problem)

    def shots(self, rows: Iterable[int], notes: Mapping[int, str] | None = None) -> list[Shot]:
        """Return the pictures of some rows."""
        return [self.shot(row, (notes or {}).get(row, "")) for row in rows]

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Return what the store has for ``sql``, in which the one ``?`` is the run; nothing where there is no store."""
        return self.store.query(sql, [self.run["run_id"]]) if self.store is not None else []

    def link(
        self,
        dataset: str | None,
        groups: Mapping[str, Any],
        more: Mapping[str, Filter] | None = None,
        *,
        sort: str = "",
    ) -> str:
        """Return the address of the images of a group, as the store names it, under further filters.

        Empty where a column of the group is none that the gallery filters by, as one without any value.
        """
        filters: dict[str, Filter] = {}
        if dataset and {dataset, *dataset.split("+")} & self.rows.folders.keys():
            filters["dataset"] = dataset if dataset in self.rows.folders else dataset.split("+")
        for name, value in groups.items():
            filters[self.facet_of(name)] = MISSING if value is None else as_text(value)
        return "" if "" in filters else gallery({**filters, **(more or {})}, sort=sort)

    def facet_of(self, name: str) -> str:
        """Return the facet that a column of a group is; empty where it is none."""
        return _first(names_here(self._name_here(name), self.score_identities), self.facets)

    def _name_here(self, name: str) -> str:
        """Return what a column of the store is called here, whose name may be one that a report alone uses."""
        return self._further.get(name, name) if name in OURS else name

    @cached_property
    def _further(self) -> dict[str, str]:
        return further_in(self.store, self.run["run_id"]) if self.store is not None else {}

    @cached_property
    def facets(self) -> dict[str, Sequence[Any]]:
        """What the gallery can filter by words: what every row says, scores of words, and what the store groups by."""
        columns, further = self.rows.columns, self.rows.further
        found: dict[str, Sequence[Any]] = {**{name: columns[name] for name in filters()}, **self.rows.words}
        found |= {name: further[name] for name in self.further_filters}
        for name in self.grouped_by:
            own = self._name_here(name)
            if not _first(names_here(own, self.score_identities), found) and own in {*columns, *further}:
                found[own] = columns[own] if own in columns else further[own]
        if DOMAIN not in found and any(domains := [domain_of(url) for url in columns["url"]]):
            found[DOMAIN] = domains
        found[PICTURE] = [(BLURRED if each.is_blurred else SHOWN) if each.thumbnail else None for each in self.pictures]
        if audits := self.query("SELECT DISTINCT dataset FROM audits WHERE run_id = ?"):
            found[AUDIT] = self._audited(found, {row["dataset"] for row in audits})
        return found

    @cached_property
    def further_filters(self) -> list[str]:
        """The columns that the sources brought along and that have few values, which people can filter by."""
        found = []
        for name, column in self.rows.further.items():
            known = [as_text(one) for one in column if one is not None]
            if name not in (FILE, MEMBER) and are_few(len(set(known)), len(known)):
                found.append(name)
        return found

    def _audited(self, facets: Mapping[str, Sequence[Any]], datasets: set[str]) -> list[str | None]:
        audit = self.audit
        by = [name for name in audit["by"] if name.rpartition(".")[2] == ATTRIBUTE_CLASS]
        texts, *classes = (
            facets.get(_first(names_here(name, self.score_identities), facets)) or [None] * len(self.rows)
            for name in (audit["attribute"], *by)
        )
        return audited(self.rows, audit, datasets, texts, classes)

    @property
    def sample_note(self) -> str:
        """What to say beside a number that is of the images shown: empty where they are no sample."""
        return f" of the {count(len(self.rows))} shown" if self.rows.is_sample else ""

    @property
    def audit(self) -> Mapping[str, Any]:
        """What the run's config says of the audit."""
        asked = self.run.get("config", {}).get("audit")
        return asked if isinstance(asked, Mapping) else {}

    @cached_property
    def grouped_by(self) -> list[str]:
        """The columns that make the groups of the store."""
        return sorted({name for sql in GROUPS for row in self.query(sql) for name in row["groups"] or {}})

    @cached_property
    def kept_facets(self) -> set[str]:
        """Facets that some count leads to, so that they are there even where all images are alike."""
        asked = {self.facet_of(name) for name in (*self.grouped_by, *([self.audit["attribute"]] if self.audit else []))}
        is_any_special = any(each.is_blurred or not each.thumbnail for each in self.pictures)
        return asked | ({AUDIT} & set(self.facets)) | ({PICTURE} if is_any_special else set())

    @cached_property
    def score_identities(self) -> dict[str, str]:
        """The identity of each score column of the store, which tells it from one of that name in a pool."""
        rows = self.query("SELECT score, identity_id FROM score_columns WHERE run_id = ?")
        return {row["score"]: row["identity_id"] for row in rows}

    def score_named(self, score: str) -> str:
        """Return what a score of the store is called here, of numbers or of words."""
        return _first(names_here(score, self.score_identities), self.rows.meanings) or score

    def column_named(self, name: str, pool: Pool) -> str:
        """Return what a column of a pool is called here: where another source has that name it has its identity."""
        column = pool.table.columns.get(name)
        identities = {name: short_id(column.identity)} if column is not None else {}
        return _first(names_here(name, identities), self.rows.numbers) or name

    def column_of(self, row: Mapping[str, Any]) -> str:
        """Return the score column that a number of the store is a mean of; empty where it is none that is shown.

        Args:
            row: Of ``results`` or ``differences``; its metric begins with the label, its identity names the column.
        """
        column = (self.identities.get(row["identity_id"]) or {}).get("column")
        if column is None:
            return ""
        label = row["metric"].rpartition(".")[0]
        return _first(names_here(full_name(label, column), self.score_identities), self.rows.numbers)

    @cached_property
    def identities(self) -> dict[str, Mapping[str, Any]]:
        """What the ids of the store stand for."""
        rows = self.store.query("SELECT identity_id, identity FROM identities") if self.store is not None else []
        return {row["identity_id"]: row["identity"] for row in rows}

    @cached_property
    def looks(self) -> list[JudgeLook]:
        """What judges were asked for the scores of the run and of the pools."""
        of_pools = {short_id(column.identity): column.identity for pool in self.pools for column in pool.scores}
        known = {**self.identities, **of_pools}
        named = {name: known.get(meaning.identity_id) for name, meaning in self.rows.meanings.items()}
        return find_looks({name: identity for name, identity in named.items() if identity is not None})

    @cached_property
    def evidence(self) -> Mapping[int, list[SeenRecords]]:
        """What judges saw in the images, by row."""
        return find_evidence(self.rows, self.looks)

    @cached_property
    def models(self) -> list[str]:
        """The models in the order in which their images come."""
        return list(dict.fromkeys(model for model in self.rows.columns["model"] if model is not None))

    @cached_property
    def pairs(self) -> list[int]:
        """For each row the number of its prompt and seed (or sample), -1 without: what models can be compared on."""
        found = self.query("SELECT dataset, prompt_sets FROM datasets WHERE run_id = ?")
        return pairs_of(self.rows.columns, {row["dataset"]: row["prompt_sets"] or {} for row in found})

    @cached_property
    def draw_word(self) -> str:
        """What tells two pictures of one prompt by one model apart: their seeds, or without those their samples."""
        columns = self.rows.columns
        seeds = {columns["seed"][row] is not None for row, pair in enumerate(self.pairs) if pair >= 0}
        return {(True,): "seed", (False, True): "seed or sample"}.get(tuple(sorted(seeds)), "sample")

    @cached_property
    def draws(self) -> list[str]:
        """By pair, which of a prompt's pictures it is: by seed, or by sample; empty where the data says neither."""
        columns, found = self.rows.columns, dict[int, str]()
        for row, pair in enumerate(self.pairs):
            seed, sample = columns["seed"][row], columns["sample"][row]
            named = f"seed {seed}" if seed is not None else f"sample {sample}" if sample is not None else ""
            found.setdefault(pair, named)
        return [found[pair] for pair in sorted(found) if pair >= 0]

    def colour(self, model: str | None) -> int:
        """Return the number of a model's colour, from 1."""
        return self.models.index(model) % COLOURS + 1 if model in self.models else 1


def names_here(name: str, identities: Mapping[str, str]) -> list[str]:
    """Return what a column of the store may be called here: beside a pool's of that name it has its identity with it.

    >>> names_here("hats.attribute", {"hats.attribute": "1f"})
    ['hats.attribute', 'hats.attribute (1f)']
    """
    return [name, *([f"{name} ({identities[name]})"] if name in identities else [])]


def _first(names: Iterable[str], known: Iterable[str]) -> str:
    have = set(known)
    return next((name for name in names if name in have), "")
