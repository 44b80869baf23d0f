"""The rules of the house that a machine can hold: who imports whom, how big things grow, what every table names."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from diptych.cli import COMMANDS, CONFIGS
from diptych.config.identity import fingerprint
from diptych.config.load import load, read_job
from diptych.encoders import ENCODERS
from diptych.evaluate.metrics.contract import SET_METRICS, SetMetric
from diptych.generate.backends import BACKENDS
from diptych.jobs.engine import EXECUTORS
from diptych.judges import JUDGES
from diptych.lookup import import_attribute
from diptych.scores import SCORES

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("curate", "evaluate", "generate", "reports")

MAX_MODULE_LINES = 300
MAX_TEST_LINES = 400
MAX_FUNCTION_LINES = 40  # without the docstring
MAX_PARAMETERS = 6
MAX_COMMAND_PARAMETERS = 8

# Modules that are longer, each with its reason; one that got shorter must leave the list.
LONG_MODULES: dict[str, str] = {}

# Class names that may exist more than once in the product, each with its reason.
SAME_NAME: dict[str, str] = {}

# Functions that may be longer or take more, as "file:function", each with its reason.
EXCEPTIONS: dict[str, str] = {
    "src/diptych/judges/answers/chat_endpoint.py:chat_endpoint": "each is an option of a config",
}

TARGETS = {
    **{f"backend {name}": target for name, target in BACKENDS.items()},
    **{f"command {name}": subcommand.target for name, subcommand in COMMANDS.items()},
    **{f"config {name}": target for name, target in CONFIGS.items()},
    **{f"encoder {name}": target for name, target in ENCODERS.items()},
    **{f"judge {name}": target for name, target in JUDGES.items()},
    **{f"executor {name}": target for name, target in EXECUTORS.items()},
    **{f"score {name}": target for name, target in SCORES.items()},
    **{f"set metric {name}": target for name, target in SET_METRICS.items()},
}

# Modules that name things without importing them; they have to load where only the base install is.
LIGHT = sorted(
    [
        "diptych.cli",
        "diptych.doctor.cli",
        "diptych.encoders",
        "diptych.jobs",
        "diptych.judges",
        "diptych.progress",
    ]
    + ["diptych.scores"]
    + [f"diptych.{name}" for name in FOLDERS]
    + [f"diptych.{path.parent.name}.cli" for path in ROOT.glob("*/cli.py")]
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def package_files() -> list[Path]:
    """Return every file of the package under its real path, without the links."""
    floor = [path for path in (ROOT / "src").rglob("*.py") if path.resolve() == path]
    return sorted(floor + [path for name in FOLDERS for path in (ROOT / name).rglob("*.py")])


def all_files() -> list[Path]:
    return package_files() + sorted((ROOT / "tests").rglob("*.py"))


def where(path: Path, node: Function | None = None) -> str:
    return f"{path.relative_to(ROOT).as_posix()}{f':{node.name}' if node else ''}"


def functions() -> Iterator[tuple[Path, Function]]:
    for path in package_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, Function):
                yield path, node


def body_lines(node: Function) -> int:
    first = node.body[0]
    docstring = ast.get_docstring(node) is not None
    assert node.end_lineno is not None
    assert first.end_lineno is not None
    return node.end_lineno - node.lineno + 1 - (first.end_lineno - first.lineno + 1 if docstring else 0)


def count_parameters(node: Function) -> int:
    arguments = node.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    stars = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return len([name for name in names if name not in {"self", "cls"}]) + len(stars)


def is_command(node: Function) -> bool:
    return any("command(" in text or "group(" in text for text in map(ast.unparse, node.decorator_list))


def test_import_layers_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_room_stands_in_the_table_of_the_house() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    house = text.partition("\n## The house\n")[2].partition("\n## ")[0]
    folders = {ROOT / name for name in FOLDERS} | {ROOT / "src" / "diptych"}
    rooms = [path.parent for path in package_files() if path.name == "__init__.py" and path.parents[1] in folders]
    assert len(rooms) > 20
    assert [where(room) for room in rooms if not re.search(rf"[`/]{room.name}`", house)] == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    empty = {"common", "helpers", "misc", "shared", "util", "utils"}
    assert [where(path) for path in all_files() if path.stem in empty] == []


def test_modules_have_at_most_300_lines_and_their_tests_400() -> None:
    lengths = {where(path): len(path.read_text(encoding="utf-8").splitlines()) for path in all_files()}
    tests = {name: lines for name, lines in lengths.items() if name.startswith("tests/") and lines > MAX_TEST_LINES}
    modules = {name for name, lines in lengths.items() if not name.startswith("tests/") and lines > MAX_MODULE_LINES}
    assert (tests, modules) == ({}, set(LONG_MODULES))


def test_a_class_name_exists_once_in_the_product() -> None:
    places: dict[str, list[str]] = {}
    for path in package_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(where(path))
    assert {name: paths for name, paths in places.items() if len(paths) > 1 and name not in SAME_NAME} == {}
    assert all(len(places.get(name, ())) > 1 for name in SAME_NAME)


def test_functions_stay_under_40_lines() -> None:
    lengths = {where(path, node): body_lines(node) for path, node in functions()}
    assert {
        name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION_LINES and name not in EXCEPTIONS
    } == {}


def test_functions_take_at_most_6_parameters_and_commands_8() -> None:
    too_many = {}
    for path, node in functions():
        limit = MAX_COMMAND_PARAMETERS if is_command(node) else MAX_PARAMETERS
        if count_parameters(node) > limit and where(path, node) not in EXCEPTIONS:
            too_many[where(path, node)] = count_parameters(node)
    assert too_many == {}


def test_every_exception_names_a_function_that_exists() -> None:
    assert set(EXCEPTIONS) <= {where(path, node) for path, node in functions()}


def test_public_names_are_sorted() -> None:
    for path in package_files():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets
            ):
                names = ast.literal_eval(node.value)
                order = sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
                assert list(names) == order, where(path)  # constants, classes, functions: the linter's order


@pytest.mark.parametrize(
    "table",
    [BACKENDS, COMMANDS, CONFIGS, ENCODERS, EXECUTORS, JUDGES, SCORES, SET_METRICS],
    ids=["backends", "commands", "configs", "encoders", "executors", "judges", "scores", "set metrics"],
)
def test_tables_are_in_alphabetical_order(table: dict[str, object]) -> None:
    assert list(table) == sorted(table)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_table_entry_resolves(target: str) -> None:
    assert callable(import_attribute(target)) or isinstance(import_attribute(target), SetMetric)


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=where)
def test_config_runs_as_it_stands(path: Path) -> None:
    loaded = load(path, import_attribute(CONFIGS[read_job(path)]))
    assert len(fingerprint(loaded)) == 64


@pytest.mark.parametrize("module", LIGHT)
def test_module_that_only_names_things_imports_nothing_heavy(module: str) -> None:
    script = f"import sys, {module}; print(*sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    result = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.partition(".")[0] for name in result.stdout.split()} - set(sys.stdlib_module_names)
    heavy = {name for name in loaded if not name.startswith(("_", "click", "diptych", "colorama"))}
    assert heavy == set()


def test_cli_modules_import_only_click_the_standard_library_and_the_floor_at_the_top() -> None:
    allowed = {*sys.stdlib_module_names, "click", "diptych"}
    found = {}
    for path in ROOT.glob("*/cli.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {f"{where(path)}: {name}": name for name in names if name.partition(".")[0] not in allowed}
    assert found == {}
