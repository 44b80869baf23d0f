"""What holds for every template and script, whatever the data."""

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from diptych.reports.pages import PAGES
from diptych.reports.rendering import STATIC, make_environment, render, static_files

TEMPLATES = STATIC.parent / "templates"


def test_no_template_marks_data_as_safe() -> None:
    for path in TEMPLATES.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe\b|Markup|autoescape|<script>|javascript:|style=|\bon[a-z]+=", text), path.name


def test_no_code_makes_markup() -> None:
    for path in STATIC.parent.rglob("*.py"):
        assert "Markup" not in path.read_text(encoding="utf-8"), path.name


def test_scripts_write_text_only() -> None:
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\(|XMLHttpRequest|import\("
    )
    for path in STATIC.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(forbidden, text), path.name
        assert '"use strict";' in text


def test_scripts_and_style_of_a_page_stay_small() -> None:
    sizes = {path.name: path.stat().st_size for path in STATIC.iterdir()}
    for name, page in PAGES.items():
        assert sum(sizes[script] for script in ("report.js", *page.scripts)) <= 52_000, name
    assert sizes["report.css"] <= 24_000


def test_nothing_of_the_report_comes_from_elsewhere() -> None:
    for name, data in static_files().items():
        text = data.decode("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z]+\.[a-z]", text), name


@pytest.mark.parametrize("attack", ['"><script>alert(1)</script>', "</title><img src=x onerror=x>", "{{ 7 * 7 }}"])
def test_data_is_escaped_wherever_it_stands(attack: str) -> None:
    environment = make_environment()
    template = environment.from_string('<p title="{{ text }}">{{ text }}</p>')
    shown = template.render(text=attack)
    assert "<script>" not in shown
    assert "<img" not in shown
    assert "49" not in shown


def test_name_that_is_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        make_environment().from_string("{{ nothing }}").render()


def test_lone_surrogate_becomes_a_question_mark() -> None:
    environment = make_environment()
    environment.loader = None
    template = environment.from_string("{{ text }}")
    assert template.render(text="\ud800").encode("utf-8", "replace") == b"?"
    assert callable(render)


def test_every_script_of_the_folder_is_shipped() -> None:
    assert set(static_files()) == {f"assets/{path.name}" for path in Path(STATIC).iterdir()}
