"""What holds for every command: its paths are local, or places in a store, and it is told how to show progress."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from every_command import COLUMNS, commands

from diptych.cli import main
from diptych.command_line import LocalPathType, PlaceType, print_json, progress_mode
from diptych.demo.training.__main__ import main as train

ADDRESS, ELSEWHERE = "s3://bucket/x", "https://host/x"
OF_A_PATH = "only a local path can be used here, none of s3://; give a local path"
OF_A_PLACE = "no place of https:// can be used; give a local path, or one of s3://, gs://, az://, hf://"


PATHS = [
    pytest.param(root, words, command, parameter, id=" ".join([*words, str(parameter.name)]))
    for root in (main, train)
    for words, command in commands(root)
    for parameter in command.params
    if isinstance(parameter.type, click.Path)
]


def arguments(command: click.Command, given: click.Parameter, address: str, folder: Path) -> list[str]:
    """Return words that are right for a command, but for the one parameter that gets the address."""
    words: list[str] = []
    for parameter in command.params:
        if parameter is not given and not parameter.required:
            continue
        value = address if parameter is given else filler(parameter.type, folder)
        values = [value] * max(parameter.nargs, 1)
        words += [parameter.opts[0], *values] if isinstance(parameter, click.Option) else values
    return words


def filler(kind: Any, folder: Path) -> str:
    if isinstance(kind, click.Path) and kind.exists:
        return str(folder if kind.dir_okay else folder / "file")
    if isinstance(kind, click.Choice):
        return str(kind.choices[0])
    return "1" if kind is click.FLOAT else "word"


def test_there_are_commands_with_paths() -> None:
    assert len(PATHS) >= 25


@pytest.mark.parametrize(("root", "words", "command", "parameter"), PATHS)
def test_every_path_of_a_command_refuses_an_address_before_anything_is_done(
    root: click.Command,
    words: tuple[str, ...],
    command: click.Command,
    parameter: click.Parameter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert isinstance(parameter.type, LocalPathType)
    address, said = (ELSEWHERE, OF_A_PLACE) if isinstance(parameter.type, PlaceType) else (ADDRESS, OF_A_PATH)
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(root, [*words, *arguments(command, parameter, address, tmp_path)])
    assert result.exit_code == 1, result.output
    assert result.stderr == f"Error: {address}: {said}\n"
    assert result.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(("settings", "expected"), [({"progress": "plain"}, "plain"), (None, "auto")])
def test_command_is_told_how_to_show_progress(settings: dict[str, str] | None, expected: str) -> None:
    root = click.Context(click.Group("root"), obj=settings)
    assert progress_mode(click.Context(click.Command("inner"), parent=root)) == expected


def test_result_is_one_line_for_machines_and_may_be_indented_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": ["ü", 1]})
    assert capsys.readouterr().out == '{"a": ["\\u00fc", 1]}\n'
    print_json({"a": 1}, indent=2)
    assert capsys.readouterr().out == '{\n  "a": 1\n}\n'


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize(
    "words", [words for words, found in commands() if isinstance(found, click.Group)], ids=" ".join
)
def test_no_line_of_a_command_list_is_cut_short(words: tuple[str, ...], width: int) -> None:
    shown = CliRunner().invoke(main, [*words, "--help"], terminal_width=width).output
    listed = shown.partition("Commands:")[2]
    assert listed.strip()
    assert "..." not in listed


@pytest.mark.parametrize(("words", "command"), [(words, found) for words, found in commands() if words])
def test_a_command_stands_in_its_list_with_one_line_of_80_columns(
    words: tuple[str, ...], command: click.Command
) -> None:
    shown = CliRunner().invoke(main, [*words[:-1], "--help"], terminal_width=COLUMNS).output
    lines = shown.partition("Commands:")[2].splitlines()
    line = next(line for line in lines if line.startswith(f"  {words[-1]} "))
    assert line.endswith(command.get_short_help_str(limit=10_000))


@pytest.mark.parametrize("words", [words for words, _ in commands()], ids=" ".join)
def test_help_fits_in_80_columns(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*words, "--help"], terminal_width=COLUMNS).output
    assert [line for line in shown.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("words", "option"),
    [(words, option) for words, found in commands() for option in found.params if isinstance(option, click.Option)],
)
def test_every_option_has_help(words: tuple[str, ...], option: click.Option) -> None:
    assert option.help, f"{words}: {option.name}"
