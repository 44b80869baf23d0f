import sys
from pathlib import Path

import pytest

from diptych.errors import ConfigError, MissingExtra
from diptych.lookup import EXTRA_OF_MODULE, describe_unknown, import_attribute, nearest, resolve

TABLE = {"inner": "json:dumps", "outer": "json:loads"}


def test_a_name_resolves_to_its_attribute() -> None:
    import json

    assert resolve(TABLE, "part", "inner") is json.dumps


def test_an_unknown_name_is_told_with_the_nearest_and_all_known_names() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(TABLE, "part", "iner")
    assert str(caught.value) == "unknown part 'iner'; did you mean 'inner'? Known: inner, outer"


def test_a_name_like_no_other_has_no_suggestion() -> None:
    assert describe_unknown("part", "xyz", TABLE) == "unknown part 'xyz'. Known: inner, outer"
    assert describe_unknown("part", "x", []) == "unknown part 'x'; there is none"


def test_a_name_that_differs_in_case_alone_is_the_nearest() -> None:
    assert describe_unknown("column", "url", ["TEXT", "URL"]).startswith("unknown column 'url'; did you mean 'URL'?")


def test_the_nearest_names_come_best_first_and_bounded() -> None:
    assert nearest("score", ["xcore", "sc", "scores", "xxxre"]) == ["scores", "xcore"]
    assert nearest("scores", ["a", "b"]) == []


def test_an_absent_part_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "needs_lingua_here.py").write_text("import lingua.deeper\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "lingua", None)
    with pytest.raises(MissingExtra) as caught:
        import_attribute("needs_lingua_here:anything")
    assert (
        str(caught.value)
        == "'lingua' is not installed; it comes with: pip install './diptych[curate]' beside the clone"
    )
    assert (caught.value.extra, caught.value.module) == ("curate", "lingua")


def test_an_absent_module_that_is_no_extra_is_a_bug_and_keeps_its_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        import_attribute("no_such_module_anywhere:x")


def test_every_extra_that_is_named_exists_in_the_project() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(EXTRA_OF_MODULE.values()) <= set(project["optional-dependencies"])
