"""What a user says of images that were made before, and what of them there is: in this directory, and in other runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from diptych.addresses import Address
from diptych.data.damage import Extent
from diptych.data.growing import Growing
from diptych.errors import ConfigError
from diptych.generate.kept import kept_runs
from diptych.generate.layout import Growth, Layout, ShardTask, keys_of
from diptych.generate.plan import GenerationPlan
from diptych.generate.rows import FAILED, STATUSES
from diptych.generate.stored import FoundShards, OtherRun, StoredPlace, other_run, places_by_source, stored_shards
from diptych.lookup import describe_unknown
from diptych.storage.location import Location

STEP = "generate"
ALL = "all"


class GrowthOptions(NamedTuple):
    """What may become of images that were made before.

    Attributes:
        prune: Whether rows go that are no longer asked for.
        retry: Statuses of rows without a picture that are made again, beside those that failed, which always are.
        reuse: Finished runs of which images with the same key are taken.
    """

    prune: bool = False
    retry: frozenset[str] = frozenset()
    reuse: tuple[Address, ...] = ()


AS_IT_IS = GrowthOptions()


class OtherRuns(NamedTuple):
    """The runs of which images may be taken.

    Attributes:
        runs: Finished ones, as the user names them.
        kept: What a run that was killed has kept in this directory.
    """

    runs: tuple[OtherRun, ...]
    kept: tuple[OtherRun, ...] = ()

    def environments_of(self, task: ShardTask) -> list[Mapping[str, Any]]:
        """Return what the images were made on that a shard takes from them."""
        files = {place.file for place in task.taken.values()}
        used = [run for run in (*self.runs, *self.kept) if files & run.files]
        return [environment for run in used for environment in run.environments]

    def not_taken(self, plan: GenerationPlan, layout: Layout) -> tuple[str, ...]:
        """Return, a sentence for each run, why it gives no image, or not all that it has of those that are rendered."""
        missing = {
            key: (row.image, task.source)
            for task in layout.added
            for place, row in enumerate(task.rows)
            if place not in task.taken
            for key in keys_of(plan, row)
        }
        used = {place.file for task in layout.added for place in task.taken.values()}
        said = []
        for run in self.runs:
            ways = {
                source: {missing[key] for key in places if key in missing}
                for source, places in places_by_source(run.shards).items()
            }
            said += [
                f"{run.place}: {len(wanted):,} of its images are rendered anew: they were made with {source}, and here "
                f"they are made with {', or with '.join(sorted({ours for _, ours in wanted}))}"
                for source, wanted in ways.items()
                if wanted
            ]
            if not used & run.files and not any(ways.values()):
                said.append(f"{run.place}: gives no image: it has none that is asked for here and is not there already")
        return tuple(said)


def retried_statuses(names: Iterable[str]) -> frozenset[str]:
    """Return the statuses that names stand for; ``all`` is each of them.

    >>> sorted(retried_statuses(["all"]))
    ['failed', 'not_finite']

    Raises:
        ConfigError: If one is unknown.
    """
    found: set[str] = set()
    for name in names:
        if name not in (ALL, *STATUSES):
            raise ConfigError(f"--retry: {describe_unknown('status', name, [ALL, *STATUSES])}")
        found |= set(STATUSES) if name == ALL else {name}
    return frozenset(found)


def open_others(options: GrowthOptions, out: Location | None, *, progress: str) -> OtherRuns:
    """Open the runs of which images may be taken, and what was kept in a directory of one that was killed.

    Raises:
        DataError: If one is no finished run, or damaged.
    """
    runs = tuple(other_run(Location.at(address), progress=progress) for address in options.reuse)
    return OtherRuns(runs, kept_runs(out) if out is not None else ())


def growth_of(options: GrowthOptions, others: OtherRuns) -> Growth:
    """Return what a layout has to know; of two runs that have an image, the first that is named gives it."""
    known: dict[str, dict[str, StoredPlace]] = {}
    for run in (*others.runs, *others.kept):
        for source, places in places_by_source(run.shards).items():
            known[source] = {**places, **known.get(source, {})}
    return Growth(options.prune, options.retry | {FAILED}, known)


def find_shards(growing: Growing, *, extent: Extent, progress: str, lost: Sequence[Any] = ()) -> FoundShards:
    """Return the finished shards of a directory.

    Args:
        growing: The directory.
        extent: How much of each is looked at.
        progress: Display mode, see ``diptych.progress``.
        lost: Entries that were found to be lost before; those that are still not there are returned with the others.
    """
    entries = growing.entries
    found = stored_shards(growing.directory, entries.values(), extent=extent, progress=progress)
    return found._replace(lost=(*found.lost, *(info for info in lost if info.name not in entries)))
