"""``diptych init``: write a config to begin with, one of those that diptych brings along."""

import re
import shlex
from pathlib import Path

import click

from diptych.command_line import AS_JSON, LocalPathType, print_json
from diptych.errors import ConfigError
from diptych.lookup import describe_unknown
from diptych.ready_configs import ReadyConfig, ready_configs

STANDARD_OUTPUT = Path("-")
# A config in what the configs say of each other; who gets one by init has none of the others in such a folder.
IN_CONFIGS = re.compile(r"configs/\w+/(\w+)\.yaml")


def complete_kind(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the kinds that a word may become, for the shell."""
    return [kind for kind in ready_configs() if kind.startswith(incomplete)]


@click.command()
@click.argument("kind", required=False, shell_complete=complete_kind)
@click.option("--out", type=LocalPathType(), help="The file to write, by default KIND.yaml here; - prints the config.")
@AS_JSON
def init(kind: str | None, out: Path | None, as_json: bool) -> None:
    """Write a config to begin with; without a KIND, list them.

    Each is complete and explains itself; put your own paths and models into it. A file that is there already stays
    as it is.
    """
    known = ready_configs()
    if kind is None:
        _list(known, as_json=as_json)
        return
    if kind not in known:
        raise click.BadParameter(describe_unknown("kind of config", kind, known), param_hint="KIND")
    out = out or Path(f"{kind}.yaml")
    own = shlex.quote(f"{kind}.yaml" if out == STANDARD_OUTPUT else str(out))
    text = _text(kind, known[kind], own)
    if out != STANDARD_OUTPUT:
        _write_new(out, text)
    if as_json:
        print_json({"kind": kind, "path": str(out), "next": _first_command(text, own), "text": text})
    elif out == STANDARD_OUTPUT:
        click.echo(text, nl=False)
    else:
        click.echo(f"wrote {out}; put your own paths and names into it")
        click.echo(f"Next: {_first_command(text, own)}")


def _list(known: dict[str, ReadyConfig], *, as_json: bool) -> None:
    if as_json:
        print_json([{"kind": kind, "group": one.group, "title": one.title} for kind, one in known.items()])
        return
    width = max(map(len, known))
    for group in dict.fromkeys(config.group for config in known.values()):
        click.echo(group)
        for kind, config in known.items():
            if config.group == group:
                click.echo(f"  {kind:{width}}  {config.title}")
    click.echo("Next: diptych init KIND")


def _text(kind: str, config: ReadyConfig, own: str) -> str:
    """Return the text of a config; the files that it speaks of are named as ``init`` names them, it itself ``own``."""
    text = config.path.read_text(encoding="utf-8")
    return IN_CONFIGS.sub(lambda found: own if found[1] == kind else f"{found[1]}.yaml", text)


def _first_command(text: str, own: str) -> str:
    """Return the first command in the comments of a config that takes the config itself."""
    commands = (line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))
    return next(command for command in commands if command.startswith("diptych ") and f" {own}" in command)


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there, and the folders above it.

    Raises:
        ConfigError: If there is one, or none can be made there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ConfigError(f"{path}: is below a file; name another file: --out FILE") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}; name another file: --out FILE") from error
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigError(f"{path}: is there already and stays as it is; name another file: --out FILE") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}; name another file: --out FILE") from error
