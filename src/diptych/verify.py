"""``diptych verify``: look at every byte of dataset directories and stores, say what changed, put back what can be."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from diptych.addresses import Address
from diptych.command_line import AS_JSON, PlaceType, print_json, progress_mode
from diptych.errors import DataError
from diptych.progress.wording import format_bytes, quantity

# What makes again what was moved aside, by the kind of directory: the commands that write there.
MAKERS = {
    "data": ("curate run", "curate ingest", "curate export", "generate run"),
    "decisions": ("curate run", "curate dedup", "curate select", "curate export"),
    "embeddings": ("curate run", "curate score", "score", "evaluate run", "evaluate distance"),
    "evidence": ("curate run", "curate score", "score", "evaluate run"),
    "scores": ("curate run", "curate score", "score", "evaluate run"),
}


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=PlaceType(exists=True))
@click.option("--repair", is_flag=True, help="Put back what can be, and move damaged shards aside to be made again.")
@AS_JSON
@click.pass_context
def verify(ctx: click.Context, paths: tuple[Address, ...], repair: bool, as_json: bool) -> None:
    """Look at every byte of datasets and stores; put back what can be.

    Names each file that is not what diptych wrote; exit code 1 if there is one. What is not finished is named, too, and
    is no damage: exit code 0. With --repair a manifest is written
    again from its journal and a journal from its manifest. Damaged shards are moved aside, and the command that made
    them, which is printed as it was given, makes exactly those again.
    """
    found = [entry for path in paths for entry in _verify(path, repair, progress_mode(ctx))]
    if as_json:
        print_json(found)
    else:
        for entry in found:
            _print(entry)
    left = [entry["path"] for entry in found if entry["problems"] and not entry["repaired"]]
    if left:
        raise DataError(f"not what was written: {', '.join(left)}; {_what_to_do(repair)}")


def _what_to_do(repair: bool) -> str:
    return "what made them makes them again" if repair else "--repair puts back what can be"


def _verify(path: Address, repair: bool, progress: str) -> list[dict[str, Any]]:
    from diptych.data.verification import find_datasets
    from diptych.storage.location import Location
    from diptych.store.seal import is_store

    location = Location.at(path)
    if repair and location.is_store:
        raise DataError(f"{location}: --repair moves files aside, and nothing is moved in a store; leave it away")
    if location.is_file() and is_store(location):
        return [_verify_store(location)]
    datasets = find_datasets(location)
    if not datasets:
        raise DataError(f"{path}: neither a dataset directory, a directory of such, nor a store")
    return [_verify_dataset(dataset, repair, progress) for dataset in datasets]


def _verify_dataset(location: Any, repair: bool, progress: str) -> dict[str, Any]:
    from diptych.data.columns_dir import written_place
    from diptych.data.verification import repair_dataset, verify_dataset
    from diptych.storage.locks import only_one

    found = verify_dataset(location, progress=progress)
    problems = found.problems
    waiting: list[Any] = []
    if repair and problems:
        with only_one(written_place(location)):
            waiting = repair_dataset(location, found)
        found = verify_dataset(location, progress=progress)
    return {
        "path": str(location),
        "files": found.files,
        "bytes": found.bytes,
        "problems": [{"file": str(problem.file), "problem": problem.what} for problem in problems],
        "repaired": repair and not found.problems,
        "unfinished": [str(directory) for directory in found.unfinished],
        "made_again_by": {str(place): _made_again_by(location, _kind(place)) for place in waiting},
    }


def _verify_store(location: Any) -> dict[str, Any]:
    from diptych.store.seal import seal_problem

    problem = seal_problem(location)
    return {
        "path": str(location),
        "files": 1,
        "bytes": location.size(),
        "problems": [{"file": str(location), "problem": problem}] if problem else [],
        "repaired": False,
        "unfinished": [],
        "made_again_by": {},
    }


def _made_again_by(dataset: Any, kind: str) -> list[str]:
    """Return the commands that write that kind, the latest first, of those noted in a dataset.

    Those noted in its run as well, for the data of an export, where nobody notes anything.
    """
    from diptych.data.columns_dir import written_place
    from diptych.storage.locks import commands_given

    found = []
    for place in (dataset, dataset.parent) if kind == "data" else (written_place(dataset),):
        for command in commands_given(place):
            if command.name in MAKERS[kind]:
                at = Path(place, command.directory).resolve()
                there = "" if at == Path.cwd() else f"cd {shlex.quote(str(at))} && "
                found.append(f"{there}diptych {shlex.join(command.arguments)}")
    return list(dict.fromkeys(found))


def _kind(directory: Any) -> str:
    return str(directory.name if directory.name == "data" else directory.parent.name)


def _advice(commands: Sequence[str], kind: str) -> str:
    if not commands:
        return f"run again what made them: diptych {' or '.join(MAKERS[kind])}"
    return "made again by: " + ", or else by: ".join(commands)


def _print(entry: dict[str, Any]) -> None:
    for problem in entry["problems"]:
        click.echo(f"{problem['file']}: {problem['problem']}")
    for directory, again in entry["made_again_by"].items():
        click.echo(f"{directory}: damaged shards were moved aside; {_advice(again, _kind(Path(directory)))}")
    for directory in entry["unfinished"]:
        if directory not in entry["made_again_by"]:
            click.echo(f"{directory}: is not finished; run what makes it again")
    size = f"{quantity(entry['files'], 'file')}, {format_bytes(entry['bytes'] or 0)}"
    if not entry["problems"]:
        click.echo(f"{entry['path']}: ok ({size})")
    else:
        ending = "put back or moved aside" if entry["repaired"] else "not what was written"
        click.echo(f"{entry['path']}: {len(entry['problems'])} of {size} {ending}")
