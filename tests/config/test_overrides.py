"""``--set`` changes one value of a config, and says how where it cannot."""

import json

import pytest

from diptych.config.overrides import with_override
from diptych.errors import ConfigError


def test_an_override_reaches_into_a_list_by_number() -> None:
    values = {"select": [{"name": "a", "where": "x"}, {"name": "b", "where": "y"}]}
    changed = with_override(values, "select.1.where=z > 1")
    assert changed == {"select": [{"name": "a", "where": "x"}, {"name": "b", "where": "z > 1"}]}
    assert values["select"][1]["where"] == "y"
    for wrong in ("select.2.where=1", "select.b.where=1", "select.-1=1", f"select.{'9' * 5000}=1"):
        with pytest.raises(ConfigError, match="'select' is a list of 2; name one by its number, from 0"):
            with_override(values, wrong)


def test_an_override_of_an_item_of_a_list_that_is_not_there_says_how_to_give_one() -> None:
    there = "'select' is not in this config, so it has no item 0; give the whole list: --set 'select=[{where: ...}]'"
    with pytest.raises(ConfigError) as refused:
        with_override({"job": "curate"}, "select.0.where=width > 5")
    assert str(refused.value) == f"--set 'select.0.where=width > 5': {there}"
    with pytest.raises(ConfigError, match=r"give the whole list: --set 'source.columns=\[\.\.\.\]'"):
        with_override({"source": {}}, "source.columns.1=a")


@pytest.mark.parametrize("text", ["my run #2/x", "a: b", "d#2", "\N{GRINNING FACE} 'x' \"y\""])
def test_a_quoted_override_is_taken_as_it_is(text: str) -> None:
    assert with_override({}, f"source.path={json.dumps(text, ensure_ascii=False)}") == {"source": {"path": text}}
    assert with_override({}, "store=d#2") == {"store": "d#2"}
