"""Which run of a store is meant, where a command takes one."""

from typing import NamedTuple

from diptych.errors import StoreError
from diptych.lookup import describe_unknown
from diptych.store.store import Store


class ChosenRun(NamedTuple):
    """A run of a store."""

    run_id: str
    name: str


def chosen_run(store: Store, given: str | None) -> ChosenRun:
    """Return the run of a name or id; nothing is the only run.

    Raises:
        StoreError: If there is none, or several.
    """
    runs = [ChosenRun(**row) for row in store.query("SELECT run_id, name FROM runs ORDER BY name")]
    names = [run.name for run in runs]
    found = [run for run in runs if given in (None, run.name, run.run_id)]
    if given is None and len(runs) > 1:
        raise StoreError(f"{store.path}: the store holds {len(runs)} runs; name one with --run: {', '.join(names)}")
    if not found:
        said = "the store holds no run" if given is None else describe_unknown("run", given, names)
        raise StoreError(f"{store.path}: {said}")
    return found[0]
