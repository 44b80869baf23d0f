"""Every whole config in the repository: the files, and the examples of the documents."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from pydantic import BaseModel

from diptych.cli import CONFIGS
from diptych.lookup import import_attribute

ROOT = Path(__file__).resolve().parents[1]
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _written() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "configs").rglob("*.yaml")):
        yield path.relative_to(ROOT).as_posix(), path.read_text()
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        blocks = (found[1] for found in FENCED.finditer(path.read_text()))
        for number, text in enumerate(text for text in blocks if re.match(r"(#.*\n)*job: ", text)):
            yield f"{path.name}-{number}", text


WRITTEN = dict(_written())  # text by name


def model_of(text: str) -> type[BaseModel]:
    """Return the model that a config is for."""
    model: type[BaseModel] = import_attribute(CONFIGS[yaml.safe_load(text)["job"]])
    return model
