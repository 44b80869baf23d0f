"""Which score a label of a dataset means: it stands in the manifest of the score's columns.

A set may have several labels, and a label means one set: the one that was last asked for by it. The set that meant it
before stays where it is, and goes by its label again when it is asked for again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from diptych.data.dataset import ColumnSet, Dataset
from diptych.data.growing import change_facts
from diptych.data.journal import JOURNAL
from diptych.data.manifests import MANIFEST_OF
from diptych.data.noted import whole_manifest
from diptych.errors import ShardError

SCORES = "scores"
LABELS = "labels"  # key in the manifest


def labels_of(column_set: ColumnSet) -> list[str]:
    """Return the labels of a score's columns, the oldest first."""
    return [str(label) for label in column_set.manifest.get(LABELS, ())]


def labelled_sets(dataset: Dataset) -> dict[str, ColumnSet]:
    """Return the finished scores of a dataset by label; one that no label means any more is left out.

    Raises:
        ShardError: If two sets claim one label, as after somebody copied one; or a manifest is damaged.
    """
    found: dict[str, ColumnSet] = {}
    for column_set in dataset.column_sets(SCORES):
        for label in labels_of(column_set):
            if label in found and _goes_before(dataset, found[label], column_set):
                continue
            if label in found and not _goes_before(dataset, column_set, found[label]):
                both = f"{found[label].location} and {column_set.location}"
                raise ShardError(f"{both}: both are labelled {label!r}; ask for the one that is meant: diptych score")
            found[label] = column_set
    return found


def stored_labels(dataset: Dataset) -> list[str]:
    """Return every label that a score of a dataset has; of a set whose manifest is damaged none is known."""
    sets = (found for place in dataset.places for found in (place / SCORES).children())
    manifests = (whole_manifest(found / MANIFEST_OF[SCORES]) for found in sets)
    return [str(label) for manifest in manifests if manifest for label in manifest.facts.get(LABELS, ())]


def give_labels(dataset: Dataset, sets: Mapping[str, ColumnSet]) -> dict[str, ColumnSet]:
    """Let labels mean some column sets of a dataset from now on, and return the sets as they are then.

    A set beside data that cannot be written is copied where it does not have its label already.

    Raises:
        ShardError: If the disk refuses. No label means two sets then, and the same call mends the rest.
    """
    wanted = {label: column_set.name for label, column_set in sets.items()}
    for label, column_set in sets.items():
        if not _is_writable(dataset, column_set) and not _is_meant(dataset, label, column_set):
            _make_writable(dataset, column_set)
    known = [found for found in dataset.column_sets(SCORES) if _is_writable(dataset, found)]
    kept = [
        [label for label in labels_of(column_set) if wanted.get(label, column_set.name) == column_set.name]
        for column_set in known
    ]
    taken = [_with(column_set, labels) for column_set, labels in zip(known, kept, strict=True)]
    # Only then given: a label means no two sets when somebody is killed in between.
    given = [
        _with(column_set, list(dict.fromkeys([*labels, *(one for one in wanted if wanted[one] == column_set.name)])))
        for column_set, labels in zip(taken, kept, strict=True)
    ]
    by_name = {column_set.name: column_set for column_set in given}
    return {label: by_name.get(name, sets[label]) for label, name in wanted.items()}


def _is_writable(dataset: Dataset, column_set: ColumnSet) -> bool:
    return column_set.location.parent.parent == dataset.written


def _is_meant(dataset: Dataset, label: str, column_set: ColumnSet) -> bool:
    try:
        return labelled_sets(dataset).get(label) == column_set
    except ShardError:  # two claim one label
        return False


def _goes_before(dataset: Dataset, one: ColumnSet, other: ColumnSet) -> bool:
    """Return whether a set lies where column sets are written, and the other beside data that nobody writes to."""
    return _is_writable(dataset, one) and not _is_writable(dataset, other)


def _make_writable(dataset: Dataset, column_set: ColumnSet) -> None:
    """Copy a set that lies beside the data to where column sets are written; its manifest, which makes it one, last."""
    target = dataset.written / SCORES / column_set.name
    for name in [*(shard.name for shard in column_set.shards), JOURNAL, MANIFEST_OF[SCORES]]:
        (target / name).write((column_set.location / name).read())


def _with(column_set: ColumnSet, labels: Sequence[str]) -> ColumnSet:
    """Return a set with other labels, which its manifest then has too."""
    if labels == labels_of(column_set):
        return column_set
    facts = {**column_set.manifest, LABELS: list(labels)}
    change_facts(column_set.location, column_set.location / MANIFEST_OF[SCORES], SCORES, facts)
    return replace(column_set, manifest=facts)
