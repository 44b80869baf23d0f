"""The options by which a command is told who does its jobs."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import click

from diptych.jobs.engine import EXECUTORS, OPTION, given_engine

Callback = Callable[..., Any]


def engine_options(says: str) -> Callable[[Callback], Callback]:
    """Return the options for the number of workers, the engine and its own options, given to a command as ``engine``.

    Args:
        says: What the workers do.
    """

    def decorate(command: Callback) -> Callback:
        @click.option("--workers", type=click.IntRange(1), help=f"{says} By default one per GPU, or one.")
        @click.option(
            "--engine",
            "engine_name",
            type=click.Choice(sorted(EXECUTORS)),
            default="local",
            show_default=True,
            help="Where they run: on this machine, or on a Ray cluster.",
        )
        @click.option(
            OPTION,
            "engine_options",
            multiple=True,
            metavar="KEY=VALUE",
            help="Of the engine: --engine-options address=10.0.0.1:6379; any number of times.",
        )
        @functools.wraps(command)
        def with_engine(
            *args: Any, workers: int | None, engine_name: str, engine_options: Sequence[str], **others: Any
        ) -> Any:
            return command(*args, engine=given_engine(workers, engine_name, engine_options), **others)

        return with_engine

    return decorate
