"""The reference page says all that there is: it is what the code says today, and names every variable."""

import pytest
from reference_page import PAGE, VARIABLES, keys, named_commands, page, parts, variables_in_code

from diptych.cli import CONFIGS, QUIET

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_is_what_the_code_says() -> None:
    assert page() == TEXT, "write it anew with: make reference"


def test_every_environment_variable_of_the_code_is_told_of() -> None:
    assert variables_in_code() | set(QUIET) == set(VARIABLES)
    assert {"DIPTYCH_CACHE", "DIPTYCH_MEMORY_LIMIT", "DIPTYCH_PROGRESS", "HF_TOKEN"} <= set(VARIABLES)
    assert list(VARIABLES) == sorted(VARIABLES)


def test_every_option_of_every_command_is_on_the_page() -> None:
    for words, command in named_commands():
        _, found, section = TEXT.partition(f"\n### `{words}")
        options = [name for parameter in command.params for name in parameter.opts if name.startswith("--")]
        assert found or not options, words
        assert [name for name in options if name not in section.partition("\n### ")[0]] == [], words


@pytest.mark.parametrize("job", CONFIGS)
def test_every_key_of_a_config_is_on_the_page_with_a_description(job: str) -> None:
    section = TEXT.partition(f"\n### job: {job}\n")[2].partition("\n##")[0]
    found = list(keys(job))
    assert len(found) > 10
    for key, _, says in found:
        assert f"| `{key}` |" in section
        assert says, key


def test_everything_that_has_options_is_on_the_page() -> None:
    named = list(parts())
    assert len(named) > 20
    assert [name for kind, name, _ in named if f"| {kind} `{name}` |" not in TEXT] == []
