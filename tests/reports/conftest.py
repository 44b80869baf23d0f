"""One small world and its report for all tests of this folder, and one browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_browser import Watched, open_browser, watch
from report_world import World, evaluate_world, make_generated, make_pool

from diptych.reports.build import build_report


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A pool of 40 drawn scenes and their copies, 160 pictures of two models in eight settings."""
    folder = tmp_path_factory.mktemp("world")
    generated = make_generated(folder / "generated", 10, size=48)
    pool = make_pool(folder / "pool", 40)
    return World(pool, generated, evaluate_world(folder, generated, pool))


@pytest.fixture(scope="session")
def built(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report on the whole world."""
    out = tmp_path_factory.mktemp("report") / "out"
    build_report(world.config(), out)
    return out


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    with open_browser() as opened:
        yield opened


@pytest.fixture
def tab(browser: Any) -> Iterator[Watched]:
    """A tab in which nothing is said on the console, and that asks for nothing but files."""
    with watch(browser) as watched:
        yield watched
        assert watched.said == []
        assert watched.foreign == []
