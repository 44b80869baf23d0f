"""How every command ends: with which exit code, in one line, and in JSON where it is asked to."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from every_command import WORKERS, commands

from diptych.cli import main
from diptych.error_lines import placed
from diptych.errors import ConfigError, DataError, DiptychError, MissingExtra, StoreError
from diptych.failures import EXIT_CODES, failed

DOCS = Path(__file__).resolve().parents[1] / "docs"
NO_JSON = {
    ("demo",): "shows what the commands print",
}
EACH = pytest.mark.parametrize("words", WORKERS, ids=" ".join)
SPEAKS_JSON = pytest.mark.parametrize("words", [words for words in WORKERS if words not in NO_JSON], ids=" ".join)


def fit_arguments(command: click.Command, folder: Path) -> list[str]:
    """Return words that a command can be called with: numbers, and files and folders that are there."""
    words: list[str] = []
    for parameter in command.params:
        if parameter.required:
            kind = parameter.type
            is_folder = isinstance(kind, click.Path) and kind.exists and kind.dir_okay
            is_number = isinstance(kind, click.types.FloatParamType | click.types.IntParamType)
            value = "1" if is_number else str(folder if is_folder else folder / "config.yaml")
            value = str(kind.choices[0]) if isinstance(kind, click.Choice) else value
            values = [value] * max(parameter.nargs, 1)
            words += [parameter.opts[0], *values] if isinstance(parameter, click.Option) else values
    return words


def call(words: tuple[str, ...], *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", *words, *arguments])


def raising(monkeypatch: pytest.MonkeyPatch, command: click.Command, error: BaseException) -> None:
    """Let a command raise instead of what it does."""

    def fail(**given: Any) -> None:
        raise error

    monkeypatch.setattr(command, "callback", fail)


@EACH
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("a.yaml:2:1: unknown key 'x'"), 1),
        (DataError("7 of 9 images are not made; the rest is made"), 1),
        (StoreError("s.duckdb: another process uses it"), 1),
        (MissingExtra("generate", "diffusers"), 4),
    ],
)
def test_an_error_is_its_exit_code_and_one_line(
    words: tuple[str, ...], error: DiptychError, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(monkeypatch, WORKERS[words], error)
    result = call(words, *fit_arguments(WORKERS[words], tmp_path))
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"Error: {error}\n")


@SPEAKS_JSON
def test_an_error_is_one_json_object_where_that_is_asked_for(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(monkeypatch, WORKERS[words], ConfigError("scores.a.options: no such\nout: of what"))
    result = call(words, *fit_arguments(WORKERS[words], tmp_path), "--json")
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
    assert json.loads(result.stderr) == {
        "error": "ConfigError",
        "exit_code": 1,
        "problems": [{"where": "scores.a.options", "what": "no such"}, {"where": None, "what": "out: of what"}],
    }


@EACH
def test_ctrl_c_is_130_and_one_line(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, WORKERS[words], KeyboardInterrupt())
    result = call(words, *fit_arguments(WORKERS[words], tmp_path))
    said = "stopped; run the same command again to go on\n"
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", said)


@SPEAKS_JSON
def test_ctrl_c_is_json_where_that_is_asked_for(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(monkeypatch, WORKERS[words], KeyboardInterrupt())
    result = call(words, *fit_arguments(WORKERS[words], tmp_path), "--json")
    said = json.loads(result.stderr)
    assert (result.exit_code, said["error"], said["exit_code"]) == (130, "Interrupted", 130)


@EACH
def test_wrong_usage_is_2_and_one_line_that_says_which_command_what_and_where_to_look(words: tuple[str, ...]) -> None:
    result = call(words, "--no-such-option")
    name = " ".join(("main", *words))
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(rf"Error: {name}: no such option '--no-such-option'.* see {name} --help\n", result.stderr)


@SPEAKS_JSON
def test_wrong_usage_is_json_where_that_is_asked_for(words: tuple[str, ...]) -> None:
    result = call(words, "--json", "--no-such-option")
    said = json.loads(result.stderr)
    assert (result.exit_code, result.stdout, said["error"], said["exit_code"]) == (2, "", "Usage", 2)
    assert said["problems"][0]["where"] == " ".join(("main", *words))


NEEDS_CONFIG = [words for words, found in WORKERS.items() if any(each.name == "config" for each in found.params)]


@pytest.mark.parametrize("words", [*NEEDS_CONFIG, ("validate",)], ids=" ".join)
@pytest.mark.parametrize("text", [None, "- a list\n", "job: curate\nno_such_key: 1\n", "job: [\n"])
def test_a_wrong_config_is_1_and_lines_that_name_it(words: tuple[str, ...], text: str | None, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    if text is not None:
        config.write_text(text)
    result = call(words, *fit_arguments(WORKERS[words], tmp_path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert all(str(config) in line for line in result.stderr.splitlines())
    assert result.stderr.startswith(f"Error: {config}")
    said = json.loads(call(words, *fit_arguments(WORKERS[words], tmp_path), "--json").stderr)
    assert {problem["where"].partition(":")[0] for problem in said["problems"]} == {str(config)}


NEEDS_DATA = [
    words
    for words, found in WORKERS.items()
    if any(isinstance(each.type, click.Path) and each.type.exists and each.required for each in found.params)
]


@pytest.mark.parametrize("words", NEEDS_DATA, ids=" ".join)
def test_data_that_is_not_there_is_1_and_one_line_that_names_it(words: tuple[str, ...], tmp_path: Path) -> None:
    result = call(words, *fit_arguments(WORKERS[words], tmp_path / "nowhere"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(rf"Error: {tmp_path}/nowhere: no .* there that can be read\n", result.stderr)


def test_a_name_with_line_ends_in_it_leaves_an_error_one_line() -> None:
    assert failed(DataError("a.csv: no column 'u\nrl\u2028'; name it"), []).line == (
        "Error: a.csv: no column 'u\\nrl\\u2028'; name it"
    )
    assert len(failed(ConfigError("a: wrong\nb: wrong"), []).line.splitlines()) == 2, "two problems are two lines"


def test_a_folder_where_a_file_is_to_be_written_is_1_and_one_line(tmp_path: Path) -> None:
    result = call(("evaluate", "statistics"), str(tmp_path), "--out", str(tmp_path))
    assert (result.exit_code, result.stderr) == (1, f"Error: {tmp_path}: is no file; give another name\n")


@pytest.mark.parametrize("words", [words for words, _ in commands() if words not in WORKERS and words], ids=" ".join)
def test_a_group_without_a_command_prints_its_help(words: tuple[str, ...]) -> None:
    result = call(words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: ")


@SPEAKS_JSON
def test_every_command_with_a_result_gives_it_as_json_too(words: tuple[str, ...]) -> None:
    assert any("--json" in each.opts for each in WORKERS[words].params)


def test_exit_codes_stand_in_the_help_and_in_the_docs() -> None:
    shown = CliRunner().invoke(main, ["--help"]).stdout
    docs = (DOCS / "command-line.md").read_text(encoding="utf-8")
    for code, says in EXIT_CODES.items():
        assert f"    {code:<4} {says}\n" in shown
        assert f"| {code} | {says} |\n" in docs


def test_a_place_is_a_path_that_is_there_with_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").touch()
    place = f"{tmp_path / 'a.yaml'}:2:7"
    assert placed(f"{place}: unknown key: x") == {"where": place, "what": "unknown key: x"}
    assert placed("-:1:1: the key is missing", ["validate", "-"]) == {"where": "-:1:1", "what": "the key is missing"}
    assert placed("-:1:1: the key is missing")["where"] is None, "no input was named so"
    assert placed("x" * 5000 + ": too long") == {"where": None, "what": "x" * 5000 + ": too long"}
