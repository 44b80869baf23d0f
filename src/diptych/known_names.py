"""The names that a command takes: listed in its help, and completed by the shell.

A table of them is given by where it stands, ``"module:TABLE"``, and looked into when somebody asks; nothing that it
names is imported for that.
"""

from collections.abc import Callable, Collection, Mapping

import click
from click.shell_completion import CompletionItem

from diptych.lookup import import_attribute, title_of

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def known_names(where: str) -> dict[str, str]:
    """Return the names of a table with what each is; of a function that returns names without.

    >>> list(known_names("diptych.encoders:ENCODERS"))
    ['dinov2', 'dinov3', 'dreamsim', 'inception', 'lpips', 'open_clip', 'projection', 'transformers_clip']
    """
    found = import_attribute(where)
    names: Collection[str] = found() if callable(found) else found
    if not isinstance(names, Mapping):
        return dict.fromkeys(names, "")
    return {name: title_of(target) for name, target in names.items()}


def completing(where: str) -> Complete:
    """Return what completes a name of a table; after ``LABEL=`` as well."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        label, equals, begun = incomplete.rpartition("=")
        return _beginning_with(begun, known_names(where), label + equals)

    return complete


def completing_values(tables: Mapping[str, str]) -> Complete:
    """Return what completes ``KEY=VALUE`` where the last part of KEY takes a name of a table."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        key, equals, begun = incomplete.partition("=")
        where = tables.get(key.rpartition(".")[2])
        return _beginning_with(begun, known_names(where), key + equals) if equals and where else []

    return complete


def _beginning_with(begun: str, names: Mapping[str, str], before: str) -> list[CompletionItem]:
    return [CompletionItem(before + name, help=says) for name, says in names.items() if name.startswith(begun)]


def listing(heading: str, where: str) -> type[click.Command]:
    """Return the kind of command whose help ends with the names of a table and what each is."""

    class Listing(click.Command):
        def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            with formatter.section(heading):
                formatter.write_dl(list(known_names(where).items()))
            super().format_epilog(ctx, formatter)

    return Listing
