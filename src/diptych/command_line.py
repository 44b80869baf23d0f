"""What the commands of several jobs have in common: paths, the options that many have, progress, JSON.

Decides nothing about what a command does. The help of the root command reads this, so it imports nothing heavy.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from diptych.addresses import local_path, place_of, store_of
from diptych.errors import DataError
from diptych.known_names import completing_values
from diptych.parts import WHOLE_JOB, JobPart, PartOutcome, parse_part

Command = TypeVar("Command", bound=Callable[..., Any])

WHOLE = 10_000  # letters of a sentence: no limit
ARGUMENTS = "diptych.arguments"  # in what click keeps for all contexts of a command
JOB_PART = "diptych.part"  # there, too


class LocalPathType(click.Path):
    """The type of every option and argument that is a path."""

    def __init__(
        self, *, exists: bool = False, file_okay: bool = True, dir_okay: bool = True, allow_dash: bool = False
    ) -> None:
        """Say what has to be there already, whether it may be a file, a directory, or ``-`` for the standard input."""
        super().__init__(exists=exists, file_okay=file_okay, dir_okay=dir_okay, allow_dash=allow_dash, path_type=Path)

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Return the path.

        Raises:
            DataError: If it is an address with a scheme, such as ``s3://bucket/name``, or not there, or of another kind
                than it has to be.
        """
        path = local_path(value)
        try:
            return super().convert(str(path), param, ctx)  # as text, of which alone click knows what - is
        except click.BadParameter as error:
            raise DataError(f"{path}: {self._problem()}") from error

    def _problem(self) -> str:
        kind = "folder" if not self.file_okay else "file" if not self.dir_okay else "file or folder"
        return f"no {kind} there that can be read" if self.exists else f"is no {kind}; give another name"


class PlaceType(LocalPathType):
    """The type of an option or argument that may be an address in an object store, too, such as ``s3://bucket/name``.

    What lies there is not looked at here.
    """

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Return the address, or the path.

        Raises:
            DataError: If it has the scheme of no store, or is a path as ``LocalPathType`` refuses it.
        """
        place = place_of(value)
        return place if store_of(place) is not None else super().convert(value, param, ctx)


class CommandGroup(click.Group):
    """A group that lists its commands each with its whole first sentence, in as many lines as that takes."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(WHOLE)) for name, command in found if command])


CONFIG = click.argument("config", type=PlaceType())
# Read by ``given_part``: it is about every shard of a command, as the options of the root are.
PART = click.option(
    "--part",
    metavar="I/N",
    expose_value=False,
    callback=lambda ctx, _, value: ctx.meta.update({JOB_PART: WHOLE_JOB if value is None else parse_part(value)}),
    help="Make part I of N of the shards, as others make theirs into the same place; the last run gives none.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")


def out_option(says: str, kind: LocalPathType | None = None) -> Callable[[Command], Command]:
    """Return the option for the directory that a command cannot do without; the help says what it is.

    Args:
        says: For the help.
        kind: What it may be; None takes a path of this machine.
    """
    return click.option("--out", type=kind or LocalPathType(), required=True, help=says)


def set_option(example: str, tables: Mapping[str, str] | None = None) -> Callable[[Command], Command]:
    """Return the option that changes keys of a config, such as ``dedup.radius=2``; any number of times.

    Args:
        example: For the help.
        tables: Where the names stand that a key takes, by its last part, see ``diptych.known_names``.
    """
    says = f"Override a key: --set {example}"
    complete = completing_values(tables or {})
    return click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help=says, shell_complete=complete)


def given_part() -> JobPart:
    """Return the part of the shards that the command that is running was given: ``WHOLE_JOB`` where none was."""
    part: JobPart = click.get_current_context().meta.get(JOB_PART, WHOLE_JOB)
    return part


def progress_mode(ctx: click.Context) -> str:
    """Return the way to show progress that the root command was given, see ``diptych.progress.track``."""
    settings = ctx.find_root().obj
    return str(settings["progress"]) if isinstance(settings, dict) else "auto"


def shown_progress() -> str:
    """Return the way to show progress of the command that is running; none in a program, which runs no command."""
    context = click.get_current_context(silent=True)
    return progress_mode(context) if context is not None else "none"


def given_command() -> tuple[str, tuple[str, ...]] | None:
    """Return the name of the command that is running, such as ``curate run``, and all its arguments after ``diptych``.

    None in a program, which runs no command.
    """
    context = click.get_current_context(silent=True)
    if context is None or ARGUMENTS not in context.meta:
        return None
    return context.command_path.partition(" ")[2], context.meta[ARGUMENTS]


def note_arguments(ctx: click.Context, arguments: Sequence[str]) -> None:
    """Keep the arguments of the root command for ``given_command``."""
    ctx.meta[ARGUMENTS] = tuple(arguments)


def print_part(what: str, part: JobPart, outcome: PartOutcome, as_json: bool) -> None:
    """Say what a part of a job did, as text or as JSON."""
    if as_json:
        print_json({"step": what, "part": str(part), **outcome._asdict()})
    else:
        click.echo(outcome.told(part, what))


def print_json(value: Any, *, indent: int | None = None) -> None:
    """Print the result of a command as JSON: for machines on one line, for people as well with an indent."""
    click.echo(json.dumps(value, indent=indent))
