"""Which run of a store is meant, where a command takes one."""

from typing import NamedTuple

from diptych.errors import StoreError
from diptych.lookup import describe_unknown
from diptych.store.store import Store


class ChosenRun(NamedTuple):
    """A run of a store."""

    run_id: str
    name: str


def known_runs(store: Store) -> list[ChosenRun]:
    """Return the runs of a store, by name.

    Raises:
        StoreError: If there is none.
    """
    runs = [ChosenRun(**row) for row in store.query("SELECT run_id, name FROM runs ORDER BY name, run_id")]
    if not runs:
        raise StoreError(f"{store.path}: the store holds no run; make one with: diptych evaluate run CONFIG")
    return runs


def chosen_run(store: Store, given: str | None) -> ChosenRun:
    """Return the run of a name or id; nothing is the only run.

    Raises:
        StoreError: If there is none, or several.
    """
    runs = known_runs(store)
    names = [run.name for run in runs]
    found = [run for run in runs if given in (None, run.name, run.run_id)]
    if given is None and len(runs) > 1:
        raise StoreError(f"{store.path}: the store holds {len(runs)} runs; name one with --run: {', '.join(names)}")
    if not found:
        raise StoreError(f"{store.path}: {describe_unknown('run', given or '', names)}")
    return found[0]
