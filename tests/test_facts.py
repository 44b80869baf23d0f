"""A fact that two folders share is a constant of the floor: no text or list of texts is a constant of two of them."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("curate", "evaluate", "generate", "reports")

# Values that mean something else in each place, or cannot be shared, and why.
HOMONYMS = {
    "data": "the data's own columns in SQL; the folder of a report's data, and a key of what its pages are given",
    "diptych": "the key of what a picture tells of itself; the project, and the tag, of a run in a tracker",
    "ok": "the status of a row that was made; what a progress bar counts as success, which knows nothing of rows",
}


def constants() -> Iterator[tuple[str, str, Any]]:
    """Yield the folder, the place and the value of each constant of a module that holds texts."""
    floor = [path for path in (ROOT / "src").rglob("*.py") if path.resolve() == path]
    for path in floor + [path for name in FOLDERS for path in (ROOT / name).rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        folder = "floor" if name.startswith("src/") else name.partition("/")[0]
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            value = literal(node)
            if has_text(value):
                yield folder, f"{name}:{node.lineno}", value


def literal(node: ast.stmt) -> Any:
    """Return the value of a constant, a frozenset's as that of its argument; None where it is no literal."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return None
    value = node.value
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "frozenset" and value.args:
        value = value.args[0]
    try:
        return ast.literal_eval(value)
    except ValueError:
        return None


def has_text(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) > 1
    return isinstance(value, list | tuple | set | dict) and any(map(has_text, value))


def test_a_fact_of_two_folders_is_defined_once() -> None:
    places: dict[str, dict[str, list[str]]] = {}
    for folder, place, value in constants():
        shown = repr(sorted(value, key=str) if isinstance(value, set | tuple | list) else value)
        places.setdefault(shown, {}).setdefault(folder, []).append(place)
    several = {value: found for value, found in places.items() if len(found) > 1}
    assert {value: found for value, found in several.items() if value not in map(repr, HOMONYMS)} == {}
    assert set(map(repr, HOMONYMS)) - set(several) == set()


def test_texts_are_found_in_all_that_holds_them() -> None:
    def of(text: str) -> bool:
        return has_text(literal(ast.parse(text).body[0]))

    assert all(map(of, ["A = 'ab'", "A: str = 'ab'", "A = frozenset({'ab', 'c'})", "A = (1, 'ab')", "A = {'ab': 1}"]))
    assert not any(map(of, ["A = 3", "A = ''", "A = f(3)", "A = (1, 2)", "f('ab')", "A: str"]))
