"""An engine: an executor by its name, with so many workers and its options, as a command is given it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from diptych.errors import ConfigError
from diptych.jobs.contract import Executor
from diptych.lookup import resolve

# To add one: a module with a factory of keyword-only options that returns an ``Executor``, a line here (alphabetical),
# a test.
EXECUTORS: dict[str, str] = {
    "local": "diptych.jobs.local:local_executor",
    "ray": "diptych.jobs.ray:ray_executor",
}

OPTION = "--engine-options"


@dataclass(frozen=True)
class Engine:
    """Who does a job.

    Attributes:
        workers: How many do it at once at most; None for as many as the executor finds right for the job.
        name: In ``EXECUTORS``.
        options: Of the executor, by name.
    """

    workers: int | None = 1
    name: str = "local"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_in_order(self) -> bool:
        """Whether a job that uses no GPU is done here, each task taken when the outcome of the one before it is."""
        return self.name == HERE.name and self.workers in (None, 1)

    def executor(self) -> Executor:
        """Return the executor; it starts nothing yet.

        Raises:
            ConfigError: If there is none of that name, or an option does not fit.
            MissingExtra: If it is not installed.
        """
        from diptych.config.options import call_with_options

        make, where = resolve(EXECUTORS, "engine", self.name), f"{OPTION} of {self.name}"
        found: Executor = call_with_options(make, self.options, where=where)
        return found


HERE = Engine()  # one worker: this process


def given_engine(workers: int | None, name: str, options: Iterable[str]) -> Engine:
    """Return the engine that a command is given, when it is known that there is such a one.

    Args:
        workers: How many.
        name: In ``EXECUTORS``.
        options: Each ``KEY=VALUE``, the value in YAML.

    Raises:
        ConfigError: If there is none of that name, or an option does not fit.
        MissingExtra: If it is not installed.
    """
    from diptych.config.overrides import typed_value

    found: dict[str, Any] = {}
    for option in options:
        key, equals, _ = option.partition("=")
        if not equals:
            raise ConfigError(f"{OPTION} {option!r}: write KEY=VALUE")
        found[key] = typed_value(option, OPTION)
    engine = Engine(workers, name, found)
    engine.executor()
    return engine
