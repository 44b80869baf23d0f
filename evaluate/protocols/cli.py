"""``diptych evaluate protocols``: parse, call one function, print."""

import click

from diptych.command_line import AS_JSON, print_json
from diptych.known_names import completing, listing

PROTOCOLS = "diptych.evaluate.protocols:PROTOCOLS"


@click.command(cls=listing("Protocols", PROTOCOLS))
@click.argument("words", nargs=-1, metavar="[ls] | [show] [NAME]", shell_complete=completing(PROTOCOLS))
@AS_JSON
def protocols(words: tuple[str, ...], as_json: bool) -> None:
    """Tell what the protocol NAME counts, or list all.

    \b
    Examples:
      diptych evaluate protocols ls
      diptych evaluate protocols show geneval
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from diptych.evaluate.protocols.telling import facts_of, lines_of, listed

    name = _protocol_named(words)
    if as_json:
        print_json(listed() if name is None else facts_of(name))
        return
    for line in lines_of(name):
        click.echo(line)


def _protocol_named(words: tuple[str, ...]) -> str | None:
    """Return the name in ``ls``, ``show NAME`` or ``NAME``; None where all are to be listed."""
    if words in ((), ("ls",)):
        return None
    name = words[1:] if words[0] == "show" else words
    if len(name) != 1:
        raise click.UsageError(f"{' '.join(words)}: say ls, or show and the name of one protocol")
    return name[0]
