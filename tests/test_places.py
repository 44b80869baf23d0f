"""Who opens files by itself: ``storage/``, and those whose business other people's files are, each with its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("curate", "evaluate", "generate", "reports")

# What a Location has not, or has under another name.
METHODS = {"glob", "is_dir", "iterdir", "mkdir", "read_bytes", "read_text", "rename", "rglob", "rmdir", "stat"}
METHODS |= {"symlink_to", "touch", "unlink", "write_bytes", "write_text"}
FUNCTIONS = {f"os.{name}" for name in ("fsync", "listdir", "makedirs", "open", "remove", "rename", "replace", "walk")}
FUNCTIONS |= {f"shutil.{name}" for name in ("copy", "copytree", "move", "rmtree")} | {"open"}

# Files or folders that may, and why. Nothing here reads or writes a dataset by a path.
ALLOWED = {
    "curate/cli.py": "tells a config from a directory on the command line",
    "curate/sources": "read tables, tars and folders of other programs",
    "evaluate/inputs/sides.py": "reads folders of pictures and .npz files of other programs",
    "evaluate/metrics/two_sets.py": "tells a folder of weights from the name of a model",
    "generate/backends/diffusers/components.py": "finds the folders of components",
    "generate/backends/diffusers/finding.py": "finds the folders of models",
    "generate/backends/diffusers/models.py": "reads the folders of models",
    "generate/backends/diffusers/weights.py": "reads the weights of models",
    "generate/prompts": "read files of prompts",
    "reports/build.py": "writes the folder of a report",
    "reports/read": "reads pictures into the folder of a report",
    "reports/rendering.py": "reads the files that a report brings along",
    "src/diptych/assets.py": "keeps downloads in the cache of the user",
    "src/diptych/config/load.py": "reads configs",
    "src/diptych/demo": "draws its world and trains its models into folders of its own",
    "src/diptych/doctor": "looks at the machine",
    "src/diptych/encoders": "read weights and configurations of models",
    "src/diptych/judges": "read weights and configurations of models",
    "src/diptych/scores": "read weights, and the files of a user's own scores",
    "src/diptych/storage": "is where files are opened",
    "src/diptych/store/connection.py": "hands the path of a store to DuckDB",
}


def package_files() -> list[Path]:
    floor = [path for path in (ROOT / "src").rglob("*.py") if path.resolve() == path]
    return sorted(floor + [path for name in FOLDERS for path in (ROOT / name).rglob("*.py")])


def direct_calls(path: Path) -> Iterator[str]:
    """Yield what a module calls that opens, lists or changes files by their paths."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            # A mode is what pathlib's open takes; a Location's takes nothing, and a job's is no file.
            is_open = name.endswith(".open") and any(
                isinstance(argument, ast.Constant) and str(argument.value).strip("+tb") in ("r", "w", "a", "x", "")
                for argument in node.args
            )
            method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if name in FUNCTIONS or method in METHODS or is_open:
                yield f"line {node.lineno}: {name}"


def home_of(path: Path) -> str | None:
    """Return the entry of the table that a module falls under."""
    name = path.relative_to(ROOT).as_posix()
    return next((entry for entry in ALLOWED if name == entry or name.startswith(f"{entry}/")), None)


def test_nobody_else_opens_a_file_by_its_path() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): list(direct_calls(path)) for path in package_files() if not home_of(path)
    }
    assert {name: calls for name, calls in found.items() if calls} == {}


def test_every_exception_is_still_needed() -> None:
    used = {home_of(path) for path in package_files() if any(direct_calls(path))}
    assert set(ALLOWED) - used == set()
