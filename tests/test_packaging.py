"""The wheel and the names: what is shipped, from where it is imported, and what works without any extra."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from diptych.cli import COMMANDS
from diptych.lookup import EXTRA_OF_MODULE

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("curate", "evaluate", "generate", "reports")

LIST_MODULES = """
import diptych, json, pkgutil, sys
names = [found.name for found in pkgutil.walk_packages(diptych.__path__, "diptych.", onerror=lambda name: None)]
"""


def settings() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return found["tool"]["setuptools"]


def source_folders() -> dict[str, Path]:
    """Return the folder of every package, by its dotted name, as the links under src/ are not read."""
    tops = {"diptych": ROOT / "src" / "diptych", **{f"diptych.{name}": ROOT / name for name in FOLDERS}}
    packages = {}
    for name, top in tops.items():
        for marker in top.rglob("__init__.py"):
            inner = marker.parent.relative_to(top)
            if not (name == "diptych" and inner.parts and inner.parts[0] in FOLDERS):
                packages[".".join((name, *inner.parts))] = marker.parent
    return packages


def run_python(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with nothing of the test's own import path."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONSAFEPATH"}}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what a build reads, without the links, as a clone on a system without them has it."""
    clone = tmp_path_factory.mktemp("clone")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    for name in (*FOLDERS, "configs"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", clone / "src", symlinks=True, ignore=ignore)
    for name in FOLDERS:
        (clone / "src" / "diptych" / name).unlink()
    return clone


@pytest.fixture(scope="module")
def wheel(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    out = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(out), str(clone)]
    result = run_python("-m", "pip", *build, cwd=out, PIP_DISABLE_PIP_VERSION_CHECK="1")
    assert result.returncode == 0, result.stdout + result.stderr
    with zipfile.ZipFile(next(out.glob("*.whl"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel into a folder that stands for site-packages."""
    site = tmp_path_factory.mktemp("site")
    wheel.extractall(site)
    return site


@pytest.fixture(scope="module")
def base_path(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return an import path with the wheel and what it depends on, as `pip install diptych` leaves it."""
    site = tmp_path_factory.mktemp("base")
    for name in closure(
        tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    ):
        distribution = importlib.metadata.distribution(name)
        tops = {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}
        for top in tops:
            (site / top).symlink_to(str(distribution.locate_file(top)))
    return f"{installed}{os.pathsep}{site}"


def closure(requirements: list[str]) -> set[str]:
    """Return the installed distributions that the requirements bring, their own requirements included."""
    found: set[str] = set()
    waiting = [re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in requirements]
    while waiting:
        name = waiting.pop()
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # needed on another system only
            continue
        if name not in found:
            found.add(name)
            waiting += [re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in needs if "extra ==" not in line]
    return found


def run_base(base_path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the base install alone; -S leaves out the packages of the environment that runs the tests."""
    return run_python("-S", "-P", *arguments, cwd=Path(base_path.partition(os.pathsep)[0]), PYTHONPATH=base_path)


def test_packages_in_the_project_file_are_the_folders_with_an_init_file() -> None:
    # The configs are data that lies in configs/, so that folder of the wheel has no __init__.py.
    assert sorted(settings()["packages"]) == sorted([*source_folders(), "diptych.configs"])


def test_package_map_leads_to_the_folder_of_every_package() -> None:
    found = settings()["package-dir"]
    for package, folder in source_folders().items():
        parent, inner = package, ""
        while parent not in found:
            parent, _, last = parent.rpartition(".")
            inner = f"/{last}{inner}"
        assert ROOT / (found[parent] + inner) == folder


@pytest.mark.parametrize("name", FOLDERS)
def test_link_for_tools_is_relative_and_points_to_the_folder(name: str) -> None:
    link = ROOT / "src" / "diptych" / name
    assert link.is_symlink()
    assert os.readlink(link) == f"../../{name}"
    assert link.resolve() == ROOT / name


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_refuses_its_bare_name(name: str) -> None:
    result = run_python("-c", f"import {name}", cwd=ROOT)
    assert result.returncode == 1
    message = f"ImportError: import diptych.{name}, not {name}: the repository root is on sys.path"
    assert result.stderr.splitlines()[-1] == message


@pytest.mark.parametrize("name", FOLDERS)
def test_bare_name_is_not_ours_in_a_safe_path_process(name: str) -> None:
    script = f"import importlib.util; found = importlib.util.find_spec({name!r}); print(found and found.origin)"
    result = run_python("-P", "-c", script, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    assert not result.stdout.startswith(str(ROOT / name))


def test_wheel_holds_every_module_and_every_data_file_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    data = settings()["package-data"]
    expected = set()
    for package, folder in {**source_folders(), "diptych.configs": ROOT / "configs"}.items():
        patterns = ["*.py", *data.get(package, [])]
        files = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        own = {
            name
            for name in files
            if any(fnmatch(name, pattern) and name.count("/") == pattern.count("/") for pattern in patterns)
        }
        expected |= {f"{package.replace('.', '/')}/{name}" for name in own}
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == expected
    assert "diptych/py.typed" in shipped


def test_every_file_that_is_not_code_is_named_as_package_data() -> None:
    forgotten = []
    data = settings()["package-data"]
    for package, folder in source_folders().items():
        for path in folder.iterdir():
            known = path.suffix in {".py", ".pyc"} or any(
                fnmatch(path.name, pattern) for pattern in data.get(package, [])
            )
            if path.is_file() and not known:
                forgotten.append(str(path.relative_to(ROOT)))
    assert forgotten == []


def test_wheel_holds_no_tests_and_only_one_top_level_name(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"diptych"}
    assert not [name for name in wheel.namelist() if "test" in Path(name).name]


def test_wheel_holds_licence_and_entry_point(wheel: zipfile.ZipFile) -> None:
    texts = {Path(name).name: wheel.read(name).decode() for name in wheel.namelist() if ".dist-info/" in name}
    assert texts["LICENSE"] == (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "diptych = diptych.__main__:run" in texts["entry_points.txt"]


def test_every_module_of_the_wheel_can_be_imported(installed: Path) -> None:
    script = LIST_MODULES + (
        "import importlib, warnings\nwarnings.simplefilter('ignore')\n"
        "for name in names: importlib.import_module(name)\n"
        "print(json.dumps([diptych.__file__, len(names)]))"
    )
    result = run_python("-P", "-c", script, cwd=installed, PYTHONPATH=str(installed))
    assert result.returncode == 0, result.stderr
    file, count = json.loads(result.stdout.splitlines()[-1])
    assert Path(file) == installed / "diptych" / "__init__.py"
    assert count == len(list(installed.glob("diptych/**/*.py"))) - 1


def test_without_extras_a_module_imports_or_lacks_a_package_whose_extra_is_known(base_path: str) -> None:
    script = (
        LIST_MODULES
        + """
import importlib
lacking = {}
for name in names:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        lacking[name] = error.name.partition(".")[0]
print(json.dumps(lacking))
"""
    )
    result = run_base(base_path, "-c", script)
    assert result.returncode == 0, result.stderr
    lacking: dict[str, str] = json.loads(result.stdout)
    assert {name: module for name, module in lacking.items() if module not in EXTRA_OF_MODULE} == {}
    needed = {"cli", "config", "doctor", "errors", "lookup", "progress", "curate.cli", "curate.config"}
    assert {f"diptych.{name}" for name in needed} & set(lacking) == set()


def test_a_command_that_needs_an_extra_says_which_one(base_path: str, tmp_path: Path) -> None:
    curate, evaluate, generate = tmp_path / "c.yaml", tmp_path / "e.yaml", tmp_path / "g.yaml"
    curate.write_text("job: curate\nsource: {kind: folder, path: in}\n")
    evaluate.write_text(
        "job: evaluate\nstore: s.duckdb\ndatasets: {a: {path: in}}\nscores: {s: {score: image_stats}}\n"
    )
    generate.write_text(
        "job: generate\nprompts: [{kind: demo}]\nmodels: {a: {path_or_id: m}}\nsettings: [{steps: 2}]\n"
    )
    for arguments in (
        ["curate", "run", str(curate), "--out", "x"],
        ["curate", "ingest", str(curate), "--out", "x"],
        ["evaluate", "run", str(evaluate)],
        ["generate", "plan", str(generate)],
        ["generate", "run", str(generate), "--out", "x"],
        ["score", str(tmp_path), "image_stats"],
        ["verify", str(tmp_path)],
    ):
        result = run_base(base_path, "-m", "diptych", *arguments)
        assert result.returncode == 4, (arguments, result.stderr)
        assert re.fullmatch(
            r"Error: '\w+' is not installed; it comes with: pip install '.+' beside the clone\n", result.stderr
        ), arguments


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["schema"], *([name, "--help"] for name in COMMANDS)])
def test_base_install_runs(arguments: list[str], base_path: str) -> None:
    result = run_base(base_path, "-m", "diptych", *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout


def test_the_wheel_brings_the_configs_that_init_writes(base_path: str, tmp_path: Path) -> None:
    listed = run_base(base_path, "-m", "diptych", "init")
    assert (listed.returncode, listed.stderr) == (0, "")
    kinds = sorted(path.stem for path in (ROOT / "configs").rglob("*.yaml") if path.parent.name != "demo")
    assert sorted(re.findall(r"^  (\w+)", listed.stdout, re.MULTILINE)) == kinds
    written = tmp_path / "mine.yaml"
    assert run_base(base_path, "-m", "diptych", "init", "folder", "--out", str(written)).returncode == 0
    assert run_base(base_path, "-m", "diptych", "validate", str(written)).stdout.startswith(f"{written}: ok ")


def test_doctor_on_the_base_install_says_what_is_missing(base_path: str) -> None:
    result = run_base(base_path, "-m", "diptych", "doctor")
    assert (result.returncode, result.stderr) == (0, "")
    assert "torch is not installed" in result.stdout
    assert "pip install './diptych[curate]'" in result.stdout


def test_every_config_is_valid_on_the_base_install(base_path: str) -> None:
    configs = sorted(map(str, (ROOT / "configs").rglob("*.yaml")))
    assert configs
    result = run_base(base_path, "-m", "diptych", "validate", *configs)
    assert (result.returncode, result.stderr) == (0, "")
    assert [line.partition(": ok ")[0] for line in result.stdout.splitlines()] == configs
