"""The folder of drawn pictures, and the file of its prompts."""

from pathlib import Path

import pytest
from made_elsewhere import PROMPTS, draw_images


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.txt"
    path.write_text("\n".join(PROMPTS) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return draw_images(tmp_path / "images")
