"""Layouts: each entry of the table is one, and a folder is known for what it is."""

import pytest

from diptych.generate.imported.found_images import ImportLayout
from diptych.generate.imported.layouts import LAYOUTS
from diptych.lookup import import_attribute


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_table_entry_is_a_layout(name: str) -> None:
    assert isinstance(import_attribute(LAYOUTS[name]), ImportLayout)


def test_the_last_layout_takes_any_folder() -> None:
    assert list(LAYOUTS)[-1] == "any"
