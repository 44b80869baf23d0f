"""Every command of the program, for what holds for all of them."""

from collections.abc import Iterator

import click

from diptych.cli import main

COLUMNS = 78  # that click writes help in on a terminal of 80; on narrower ones it never takes fewer than 50


def commands(
    group: click.Command = main, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command below a group, the group included, with the words that call it."""
    yield words, group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None
            yield from commands(found, (*words, name))


# The commands that do something: all but the groups that only hold others.
WORKERS = {
    words: command
    for words, command in commands()
    if not isinstance(command, click.Group) or command.invoke_without_command
}
