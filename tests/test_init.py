"""``diptych init``: what it lists, what it writes, and that it writes over nothing."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from diptych.cli import CONFIGS, main
from diptych.config.load import load, read_job
from diptych.init import complete_kind, init
from diptych.lookup import import_attribute
from diptych.ready_configs import config_path, ready_configs

ROOT = Path(__file__).resolve().parents[1]
KINDS = ready_configs()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["init", *arguments])


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_config_but_those_of_the_demo_is_a_kind() -> None:
    files = [path for path in (ROOT / "configs").rglob("*.yaml") if path.parent.name != "demo"]
    assert sorted(path.stem for path in files) == sorted(KINDS)
    assert {config.group for config in KINDS.values()} == {"curate", "evaluate", "generate", "reports"}


def test_the_list_has_each_kind_on_one_line_with_what_it_is_for() -> None:
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    for kind, config in KINDS.items():
        assert [line for line in lines if re.fullmatch(rf"  {kind} +{re.escape(config.title)}", line)]
        assert 20 < len(config.title) <= 95
        assert config.path.read_text(encoding="utf-8").splitlines()[0].endswith((".", "?"))
    assert len(lines) == len(KINDS) + 5


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_valid_and_the_next_command_takes_it(kind: str) -> None:
    result = run(kind)
    assert (result.exit_code, result.stderr) == (0, "")
    path = Path(f"{kind}.yaml")
    load(path, import_attribute(CONFIGS[read_job(path)]))
    written, following = result.stdout.splitlines()
    assert written == f"wrote {path}; put your own paths and names into it"
    _, diptych, *words = shlex.split(following)
    assert diptych == "diptych"
    assert str(path) in words
    command: click.Command | None = main
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), words.pop(0))
    assert command is not None
    command.make_context("probe", words)  # its options are right, too


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_nothing_of_files_that_only_a_clone_has(kind: str) -> None:
    run(kind, "--out", "mine.yaml")
    text = Path("mine.yaml").read_text()
    assert "configs/" not in text
    others = set(re.findall(r"(\w+)\.yaml", text)) - {"mine"}
    assert others <= set(KINDS) - {kind}


def test_a_file_that_is_there_stays_as_it_is() -> None:
    Path("folder.yaml").write_text("mine\n")
    result = run("folder")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: folder.yaml: is there already and stays as it is; name another file: --out FILE\n"
    assert Path("folder.yaml").read_text() == "mine\n"


def test_a_place_that_is_not_there_is_one_line() -> None:
    Path("taken").touch()
    result = run("folder", "--out", "taken/a.yaml")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: taken/a.yaml: is below a file; name another file: --out FILE")


def test_a_dash_prints_the_config_and_writes_nothing() -> None:
    result = run("folder", "--out", "-")
    assert result.stdout == config_path("curate/folder.yaml").read_text().replace("configs/curate/", "")
    assert list(Path.cwd().iterdir()) == []


def test_a_name_with_spaces_is_quoted_in_the_next_command() -> None:
    assert "'my cats.yaml'" in run("folder", "--out", "my cats.yaml").stdout.splitlines()[1]


def test_an_unknown_kind_is_a_usage_error_that_names_the_nearest() -> None:
    result = run("foldr")
    assert result.exit_code == 2
    assert "unknown kind of config 'foldr'; did you mean 'folder'? Known: bizgeneval, c" in result.stderr


def test_json_says_the_same_and_so_do_errors() -> None:
    listed = json.loads(run("--json").stdout)
    assert [one["kind"] for one in listed] == list(KINDS)
    assert set(listed[0]) == {"kind", "group", "title"}
    written = json.loads(run("folder", "--json").stdout)
    assert (written["kind"], written["path"]) == ("folder", "folder.yaml")
    assert written["next"].startswith("diptych curate run folder.yaml")
    assert Path("folder.yaml").read_text(encoding="utf-8") == written["text"]
    wrong = run("nope", "--json")
    (problem,) = json.loads(wrong.stderr)["problems"]
    assert wrong.exit_code == 2
    assert "unknown kind of config 'nope'" in problem["what"]


def test_the_shell_completes_kinds() -> None:
    assert complete_kind(click.Context(init), init.params[0], "two") == ["two_models", "two_settings"]


def test_folders_above_a_new_config_are_made(tmp_path: Path) -> None:
    assert run("folder", "--out", "sub/dir/own.yaml").exit_code == 0
    assert read_job(tmp_path / "sub/dir/own.yaml") == "curate"
