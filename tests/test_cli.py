"""The root command: what it imports, how it fails, and the config commands on stand-in models."""

import errno
import json
import os
import re
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import click
import pytest
from click.testing import CliRunner, Result

from diptych import __version__, cli
from diptych.cli import COMMANDS, CONFIGS, Subcommand, main
from diptych.config.settings import Settings
from diptych.errors import DataError, MissingExtra

SRC = Path(cli.__file__).resolve().parents[1]

# Everything that the base install does not need to print help; the first three are dependencies of it.
HEAVY = ("pydantic", "yaml", "rich", "numpy", "pyarrow", "duckdb", "PIL", "torch", "open_clip", "img2dataset", "pandas")


class Window(Settings):
    size: int = 3


class DrawConfig(Settings):
    job: Literal["draw"]
    width_px: int
    window: Window = Window()


class PaintConfig(Settings):
    job: Literal["paint"]
    colours: list[str]


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put two small models in the place of the real table of configs."""
    module = types.ModuleType("stand_ins")
    vars(module).update(DrawConfig=DrawConfig, PaintConfig=PaintConfig)
    monkeypatch.setitem(sys.modules, "stand_ins", module)
    for name in reversed(list(CONFIGS)):  # put back last in, first out, so in order
        monkeypatch.delitem(CONFIGS, name)
    monkeypatch.setitem(CONFIGS, "draw", "stand_ins:DrawConfig")
    monkeypatch.setitem(CONFIGS, "paint", "stand_ins:PaintConfig")


@pytest.fixture
def run_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that runs a callback as the subcommand ``probe``."""

    def run(callback: Callable[..., object], *options: str, env: dict[str, str] | None = None) -> Result:
        module = types.ModuleType("stand_in_command")
        vars(module)["probe"] = click.command()(callback)
        monkeypatch.setitem(sys.modules, "stand_in_command", module)
        monkeypatch.setitem(COMMANDS, "probe", Subcommand("stand_in_command:probe", "Only for a test."))
        return CliRunner().invoke(main, [*options, "probe"], env=env)

    return run


def run_python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(SRC), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_help_imports_no_subcommand_and_nothing_heavy() -> None:
    script = (
        "import sys; from diptych.cli import main; code = main(['--help'], standalone_mode=False)\n"
        "print(code, *sys.modules, file=sys.stderr)"
    )
    start = time.perf_counter()
    result = run_python("-c", script)
    print(f"diptych --help took {1000 * (time.perf_counter() - start):.0f} ms, the start of Python included")
    code, *modules = result.stderr.split()
    assert code == "0", result.stderr
    assert sorted({name.partition(".")[0] for name in modules} & set(HEAVY)) == []
    ours = {name for name in modules if name.startswith("diptych")}
    light = {
        "addresses",
        "cli",
        "command_line",
        "error_lines",
        "errors",
        "failures",
        "interrupts",
        "known_names",
        "lookup",
        "parts",
        "progress",
        "shortage",
    }
    light |= {f"progress.{name}" for name in ("counting", "displays", "wording")}
    assert ours == {"diptych", *(f"diptych.{name}" for name in light)}


def test_help_lists_every_command_with_its_line_from_the_table() -> None:
    result = CliRunner().invoke(main, ["--help"], terminal_width=120)
    assert result.exit_code == 0
    for name, subcommand in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(subcommand.help)}$", result.output, re.MULTILINE)


def test_tables_are_in_alphabetical_order() -> None:
    assert list(COMMANDS) == sorted(COMMANDS)
    assert list(CONFIGS) == sorted(CONFIGS)


@pytest.mark.parametrize("name", COMMANDS)
def test_line_in_the_table_is_the_first_line_of_the_commands_own_help(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert (command.help or "").partition("\n\n")[0].replace("\n", " ") == COMMANDS[name].help


def test_every_command_has_help_and_at_most_eight_options_of_its_own() -> None:
    of_engine = {"workers", "engine_name", "engine_options"}  # the same wherever there are jobs
    waiting: list[click.Command] = [main]
    while waiting:
        command = waiting.pop()
        assert command.help, command.name
        options = [found for found in command.params if isinstance(found, click.Option) and found.name not in of_engine]
        assert len(options) <= 8, command.name
        if isinstance(command, click.Group):
            context = click.Context(command)
            waiting += [
                found for name in command.list_commands(context) if (found := command.get_command(context, name))
            ]


@pytest.mark.parametrize("arguments", [["-m", "diptych"], ["-c", "from diptych.cli import main; main()"]])
def test_version_is_printed_by_the_module_and_by_the_entry_point(arguments: list[str]) -> None:
    result = run_python(*arguments, "--version")
    assert result.returncode == 0
    assert result.stdout.split()[-1] == __version__


def test_unknown_command_is_a_usage_error_that_names_the_nearest() -> None:
    result = CliRunner().invoke(main, ["valdate"])
    assert result.exit_code == 2
    assert "unknown command 'valdate'; did you mean 'validate' or 'evaluate'? Known: curate, demo, " in result.stderr


def test_unknown_option_is_a_usage_error() -> None:
    result = CliRunner().invoke(main, ["--progres", "none"])
    assert result.exit_code == 2
    assert "no such option '--progres'; did you mean '--progress'? see " in result.stderr


def test_diptych_error_is_one_line_on_stderr_and_exit_code_1(run_with: Callable[..., Result]) -> None:
    def fail() -> None:
        raise DataError("row 7 of a.csv has no url; add one")

    result = run_with(fail)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: row 7 of a.csv has no url; add one\n"


def test_debug_shows_the_traceback_before_the_line(run_with: Callable[..., Result]) -> None:
    def fail() -> None:
        raise DataError("row 7 has no url")

    result = run_with(fail, "--debug")
    assert result.exit_code == 1
    assert "Traceback (most recent call last)" in result.stderr
    assert result.stderr.endswith("Error: row 7 has no url\n")


def test_missing_part_is_exit_code_4_and_names_the_install_command(run_with: Callable[..., Result]) -> None:
    def fail() -> None:
        raise MissingExtra("curate", "pyarrow")

    result = run_with(fail)
    assert result.exit_code == 4
    assert (
        result.stderr
        == "Error: 'pyarrow' is not installed; it comes with: pip install './diptych[curate]' beside the clone\n"
    )


def test_ctrl_c_is_exit_code_130_and_says_how_to_go_on(run_with: Callable[..., Result]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    result = run_with(interrupt)
    assert result.exit_code == 130
    assert result.stderr == "stopped; run the same command again to go on\n"


def test_what_a_system_says_of_a_place_is_a_line_and_no_traceback(run_with: Callable[..., Result]) -> None:
    def fail() -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/root/a.yaml")

    result = run_with(fail)
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: /root/a.yaml: permission denied; see that this user may read and write there, or name another place\n",
    )


def test_bug_keeps_its_traceback(run_with: Callable[..., Result]) -> None:
    def fail() -> None:
        raise ZeroDivisionError("a bug")

    assert isinstance(run_with(fail).exception, ZeroDivisionError)


def test_exit_code_of_a_subcommand_is_that_of_the_program(run_with: Callable[..., Result]) -> None:
    assert run_with(lambda: click.get_current_context().exit(3)).exit_code == 3


@pytest.mark.parametrize(
    ("options", "env", "expected"),
    [
        ([], {}, "auto"),
        ([], {"DIPTYCH_PROGRESS": "json"}, "json"),
        (["--progress", "plain"], {"DIPTYCH_PROGRESS": "json"}, "plain"),
    ],
)
def test_subcommand_gets_the_progress_mode(
    options: list[str],
    env: dict[str, str],
    expected: str,
    run_with: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DIPTYCH_PROGRESS", raising=False)
    result = run_with(lambda: click.echo(click.get_current_context().find_root().obj["progress"]), *options, env=env)
    assert result.stdout == f"{expected}\n"


def test_unknown_progress_mode_is_a_usage_error(run_with: Callable[..., Result]) -> None:
    assert run_with(lambda: None, "--progress", "loud").exit_code == 2


def test_a_closed_pipe_stops_nothing() -> None:
    command = [sys.executable, "-m", "diptych", "doctor", "--no-devices"]
    reader, writer = os.pipe()
    os.close(reader)
    env = {**os.environ, "PYTHONPATH": str(SRC)}
    try:
        result = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, env=env, timeout=60, check=False)
    finally:
        os.close(writer)
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.usefixtures("stand_ins")
def test_valid_config_is_one_line_with_job_and_fingerprint(tmp_path: Path) -> None:
    path = write(tmp_path / "draw.yaml", "job: draw\nwidth_px: 64\n")
    result = CliRunner().invoke(main, ["validate", str(path)])
    assert result.exit_code == 0, result.output
    assert re.fullmatch(rf"{re.escape(str(path))}: ok \(job draw, fingerprint [0-9a-f]{{8}}\)\n", result.stdout)


@pytest.mark.usefixtures("stand_ins")
def test_fingerprint_follows_the_values_and_not_the_order_of_the_keys(tmp_path: Path) -> None:
    texts = ["job: draw\nwidth_px: 64\n", "width_px: 64\njob: draw\n", "job: draw\nwidth_px: 65\n"]
    paths = [write(tmp_path / f"{number}.yaml", text) for number, text in enumerate(texts)]
    lines = CliRunner().invoke(main, ["validate", *map(str, paths)]).stdout.splitlines()
    first, second, third = (line.rpartition(" ")[2] for line in lines)
    assert first == second != third


@pytest.mark.usefixtures("stand_ins")
def test_override_is_validated_with_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "draw.yaml", "job: draw\nwidth_px: 64\n")
    plain = CliRunner().invoke(main, ["validate", str(path)])
    changed = CliRunner().invoke(main, ["validate", str(path), "--set", "window.size=5", "--set", "width_px=8"])
    wrong = CliRunner().invoke(main, ["validate", str(path), "--set", "window.size=big"])
    assert (plain.exit_code, changed.exit_code, wrong.exit_code) == (0, 0, 1)
    assert plain.stdout != changed.stdout


@pytest.mark.usefixtures("stand_ins")
def test_every_wrong_file_is_reported_and_the_right_ones_too(tmp_path: Path) -> None:
    good = write(tmp_path / "good.yaml", "job: paint\ncolours: [red]\n")
    unknown_key = write(tmp_path / "key.yaml", "job: draw\nwidth: 64\nwidth_px: 64\n")
    unknown_job = write(tmp_path / "job.yaml", "job: drow\n")
    no_job = write(tmp_path / "none.yaml", "width_px: 64\n")
    result = CliRunner().invoke(
        main, ["validate", *map(str, (unknown_key, good, unknown_job, no_job, tmp_path / "no.yaml"))]
    )
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{good}: ok (job paint, ")
    lines = result.stderr.splitlines()
    assert lines[0].startswith(f"Error: {unknown_key}:2:1: ")
    assert "did you mean 'width_px'" in lines[0]
    assert lines[1] == f"{unknown_job}: unknown job 'drow'; did you mean 'draw'? Known: draw, paint"
    assert lines[2].startswith(f"{no_job}: ")
    assert lines[3] == f"{tmp_path / 'no.yaml'}: no such file"


def test_validate_without_a_file_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["validate"]).exit_code == 2


@pytest.mark.usefixtures("stand_ins")
def test_schema_of_one_job_describes_its_model() -> None:
    result = CliRunner().invoke(main, ["schema", "draw"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == DrawConfig.model_json_schema()


@pytest.mark.usefixtures("stand_ins")
def test_schema_without_a_job_fits_the_config_of_any_job() -> None:
    document = json.loads(CliRunner().invoke(main, ["schema"]).stdout)
    assert [option["$ref"] for option in document["anyOf"]] == ["#/$defs/DrawConfig", "#/$defs/PaintConfig"]
    assert set(document["$defs"]) == {"DrawConfig", "PaintConfig", "Window"}


@pytest.mark.usefixtures("stand_ins")
def test_schema_of_an_unknown_job_is_a_usage_error_that_names_the_nearest() -> None:
    result = CliRunner().invoke(main, ["schema", "pain"])
    assert result.exit_code == 2
    assert "did you mean 'paint'?" in result.stderr
    in_json = CliRunner().invoke(main, ["schema", "pain", "--json"])
    assert "did you mean 'paint'?" in json.loads(in_json.stderr)["problems"][0]["what"]


def test_schema_is_the_same_text_in_every_process() -> None:
    first, second = (run_python("-m", "diptych", "schema", PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout


def test_libraries_behind_the_jobs_are_told_to_phone_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("HF_HUB_DISABLE_TELEMETRY", "WANDB_ERROR_REPORTING", "NO_ALBUMENTATIONS_UPDATE", "HF_HUB_OFFLINE")
    for name in (*names, "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DIPTYCH_OFFLINE", "yes")
    assert CliRunner().invoke(main, ["schema"]).exit_code == 0
    assert [os.environ[name] for name in names] == ["1", "false", "1", "1"]
    assert "WANDB_MODE" not in os.environ  # whoever sends a run to it has said so


def test_a_config_may_come_from_standard_input() -> None:
    command = [sys.executable, "-m", "diptych", "validate", "-"]
    env = {**os.environ, "PYTHONPATH": str(SRC)}
    for text, code, said in (
        ("job: report\npools: [runs/pool]\n", 0, "-: ok (job report"),
        ("job: report\npols: [a]\n", 1, "-:2:1: unknown key 'pols'; did you mean 'pools'?"),
    ):
        done = subprocess.run(command, input=text, capture_output=True, text=True, env=env, timeout=60, check=False)
        assert done.returncode == code
        assert said in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["curate select", "curate run", "generate run", "generate import"])
def test_every_command_that_takes_a_config_takes_it_from_standard_input(command: str, tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "diptych", *command.split(), "-", "--out", str(tmp_path / "out")]
    env = {**os.environ, "PYTHONPATH": str(SRC)}
    text = "job: report\npools: [runs/pool]\n"
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, env=env, timeout=60, check=False)
    assert (done.returncode, done.stderr.startswith("Error: -: a config of the job report, not ")) == (1, True)


def test_a_closed_standard_input_is_one_line() -> None:
    command = f"{sys.executable} -m diptych validate - <&-"
    env = {**os.environ, "PYTHONPATH": str(SRC)}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=env, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "Error: -: standard input is closed; give the config as a file\n")
