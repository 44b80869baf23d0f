"""The layout: which rows of a plan are there, which shard each of the others goes into, and what has to go.

A shard that holds what is asked for stays as it is, whatever came before or comes beside it, so that scores over it
stay too. Rows that are new go into new shards, in the order of the plan. A shard loses rows only where they are no
longer asked for, and is written anew, in its place and with its pictures, where what is said of them has changed. The
same directory and the same plan always give the same layout, so that a run that was killed goes on to the same end.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from diptych.data.shards import ShardInfo, keys_sha256, shard_name, shard_number
from diptych.errors import ShardError
from diptych.generate.plan import GenerationPlan, RowId
from diptych.generate.rows import PICTURE_COLUMNS, asked_columns, planned_row
from diptych.generate.stored import FoundShards, StoredPlace, StoredShard, places_by_source
from diptych.storage.location import Location

NAMED = 3  # groups of rows that a message names


class ShardTask(NamedTuple):
    """A shard to be written.

    Attributes:
        name: Of the file.
        source: How its images are made, see ``GenerationPlan.making``.
        rows: In order.
        taken: Row, by its place in the shard -> where its picture lies; the others are rendered.
        replaces: Whether it takes the place of a finished shard of its name.
    """

    name: str
    source: str
    rows: tuple[RowId, ...]
    taken: Mapping[int, StoredPlace]
    replaces: bool

    @property
    def rendered(self) -> list[int]:
        """The numbers of the images that are rendered for it, in order."""
        return list(dict.fromkeys(row.image for place, row in enumerate(self.rows) if place not in self.taken))


@dataclass
class Layout:
    """What a run has to do.

    Attributes:
        kept: Shards that stay as they are.
        rewritten: Shards that are written anew in their place.
        gone: Shards of which no row is asked for any more.
        added: New shards.
        pruned: Rows that go, by model and setting.
        otherwise: How those of them were made that are asked for, but made in another way.
    """

    kept: list[str] = field(default_factory=list)
    rewritten: list[ShardTask] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    added: list[ShardTask] = field(default_factory=list)
    pruned: Counter[str] = field(default_factory=Counter)
    otherwise: set[str] = field(default_factory=set)

    @property
    def tasks(self) -> list[ShardTask]:
        """The shards to be written."""
        return [*self.rewritten, *self.added]

    @property
    def names(self) -> list[str]:
        """The names of all shards at the end, in order."""
        return sorted([*self.kept, *(task.name for task in self.tasks)], key=shard_number)

    @property
    def rendered(self) -> int:
        """How many images have to be rendered."""
        return sum(len(task.rendered) for task in self.tasks)

    @property
    def reused(self) -> int:
        """How many rows of new shards get a picture that was made before."""
        return sum(len(task.taken) for task in self.added)


class Growth(NamedTuple):
    """What a run may do with images that were made before.

    Attributes:
        prune: Whether rows go that are no longer asked for.
        retry: Statuses of rows without a picture that are made again.
        others: Where images of other runs lie: how they were made -> key -> place.
    """

    prune: bool
    retry: frozenset[str]
    others: Mapping[str, Mapping[str, StoredPlace]]


def lay_out(plan: GenerationPlan, found: FoundShards, growth: Growth) -> Layout:
    """Return what has to be done to a directory so that it holds what a plan asks for."""
    layout = Layout()
    left = {plan.key(*planned_row(plan, row)): row for row in plan.row_ids()}
    for shard in found.sound:
        _place_stored(plan, shard, left, growth.retry, layout)
    known = _Known(plan, found.sound, growth.others)
    rest = list(left.items())
    for info in found.lost:
        start = _find_lost(info, rest)
        if start is not None:
            layout.added.append(known.task(info.name, [row for _, row in rest[start : start + info.rows]]))
            del rest[start : start + info.rows]
    used = {*layout.kept, *(task.name for task in layout.tasks)}
    free = (name for name in map(shard_name, count()) if name not in used)
    layout.added += [known.task(next(free), rows) for rows in _cut(plan, [row for _, row in rest])]
    layout.added.sort(key=lambda task: shard_number(task.name))
    return layout


def keys_of(plan: GenerationPlan, row: RowId) -> list[str]:
    """Return the keys that the rows of the image of a row have, or would have if more sets asked for it."""
    group, image, _ = planned_row(plan, row)
    return [plan.key(group, image, copy) for copy in range(len(plan.sets))]


def check_layout(layout: Layout, place: Location, growth: Growth) -> None:
    """Refuse a layout that loses what nobody has given up.

    Raises:
        ShardError: If rows would go without ``prune``; says which.
    """
    if not layout.pruned or growth.prune:
        return
    named = [f"{label}: {rows:,}" for label, rows in layout.pruned.most_common(NAMED)]
    named += ["..."] if len(layout.pruned) > NAMED else []
    otherwise = f"; made before with {', and with '.join(sorted(layout.otherwise))}" if layout.otherwise else ""
    raise ShardError(
        f"{place}: {layout.pruned.total():,} images there are no longer asked for ({'; '.join(named)}){otherwise}; "
        f"add --prune to drop them, or give another --out"
    )


def _place_stored(
    plan: GenerationPlan, shard: StoredShard, left: dict[str, RowId], retry: frozenset[str], layout: Layout
) -> None:
    """Say what becomes of a shard, and take the rows that it holds out of those that are left."""
    places, rows = [], []
    for place, key in enumerate(shard.keys):
        row = left.get(key)
        if row is not None and plan.making(plan.group_of(row.image)) == shard.info.source:
            places.append(place)
            rows.append(left.pop(key))
        else:
            layout.pruned[f"{shard.rows['model'][place]}, {shard.rows['setting'][place]}"] += 1
            layout.otherwise |= {shard.info.source} if row is not None else set()
    failed = {place for place, status in enumerate(shard.statuses) if status in retry}
    taken = {number: StoredPlace(shard.file, place) for number, place in enumerate(places) if place not in failed}
    if not rows:
        layout.gone.append(shard.info.name)
    elif len(taken) == len(shard.keys) and _says_the_same(plan, shard, rows):
        layout.kept.append(shard.info.name)
    else:
        layout.rewritten.append(ShardTask(shard.info.name, shard.info.source, tuple(rows), taken, replaces=True))


def _says_the_same(plan: GenerationPlan, shard: StoredShard, rows: Sequence[RowId]) -> bool:
    said = shard.rows.drop_columns([name for name in PICTURE_COLUMNS if name in shard.rows.column_names])
    return bool(asked_columns(plan, [planned_row(plan, row) for row in rows]).equals(said))


def _find_lost(info: ShardInfo, rest: Sequence[tuple[str, RowId]]) -> int | None:
    """Return from where on the rows that are left are those of a shard that was lost; None where they are not."""
    for start in range(len(rest) - info.rows + 1):
        is_break = start == 0 or rest[start][1].image > rest[start - 1][1].image + 1
        if is_break and keys_sha256(key for key, _ in rest[start : start + info.rows]) == info.keys:
            return start
    return None


def _cut(plan: GenerationPlan, rows: Sequence[RowId]) -> Iterator[list[RowId]]:
    """Cut rows into shards: all rows of an image in one, and only images in it that are made in the same way."""
    shard: list[RowId] = []
    for row in rows:
        is_full = len(shard) >= plan.config.rows_per_shard and row.image != shard[-1].image
        if shard and (is_full or _making(plan, row) != _making(plan, shard[-1])):
            yield shard
            shard = []
        shard.append(row)
    if shard:
        yield shard


def _making(plan: GenerationPlan, row: RowId) -> str:
    return plan.making(plan.group_of(row.image))


class _Known:
    """The images that there are pictures of."""

    def __init__(
        self,
        plan: GenerationPlan,
        shards: Sequence[StoredShard],
        others: Mapping[str, Mapping[str, StoredPlace]],
    ) -> None:
        self._plan = plan
        self._own = places_by_source(shards)
        self._others = others

    def task(self, name: str, rows: Sequence[RowId]) -> ShardTask:
        """Return a new shard of rows that are made in one way."""
        source = _making(self._plan, rows[0])
        found = {number: self._place(source, row) for number, row in enumerate(rows)}
        taken = {number: place for number, place in found.items() if place is not None}
        return ShardTask(name, source, tuple(rows), taken, replaces=False)

    def _place(self, source: str, row: RowId) -> StoredPlace | None:
        """Return where the picture of a row lies, under whichever of the keys that the rows of its image have."""
        keys = keys_of(self._plan, row)
        places = (known.get(source, {}).get(key) for known in (self._own, self._others) for key in keys)
        return next((place for place in places if place is not None), None)
