"""What editors are told of a config, its JSON Schema, is what ``validate`` takes: for every config that there is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from diptych.cli import CONFIGS
from diptych.config.load import load
from diptych.lookup import import_attribute

ROOT = Path(__file__).resolve().parents[1]
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def written() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every whole config in the repository: files, and examples of the documents."""
    for path in sorted((ROOT / "configs").rglob("*.yaml")):
        yield path.relative_to(ROOT).as_posix(), path.read_text()
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        blocks = (found[1] for found in FENCED.finditer(path.read_text()))
        for number, text in enumerate(text for text in blocks if re.match(r"(#.*\n)*job: ", text)):
            yield f"{path.name}-{number}", text


WRITTEN = dict(written())


def model_of(text: str) -> type[BaseModel]:
    model: type[BaseModel] = import_attribute(CONFIGS[yaml.safe_load(text)["job"]])
    return model


def test_there_are_configs_in_files_and_in_documents() -> None:
    assert len([name for name in WRITTEN if name.startswith("configs/")]) >= 14
    assert {"curate.md", "evaluate.md", "generate.md", "reports.md"} <= {name.rpartition("-")[0] for name in WRITTEN}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_config_fits_its_schema_and_its_model(name: str, tmp_path: Path) -> None:
    text = WRITTEN[name]
    jsonschema.validate(yaml.safe_load(text), model_of(text).model_json_schema())
    path = tmp_path / "config.yaml"
    path.write_text(text)
    load(path, model_of(text))


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every key of a schema and what is said of it."""
    for owner, part in {"": schema, **schema.get("$defs", {})}.items():
        for key, told in part.get("properties", {}).items():
            yield f"{owner}.{key}", told


@pytest.mark.parametrize("job", CONFIGS)
def test_every_key_has_a_description(job: str) -> None:
    told = dict(properties(import_attribute(CONFIGS[job]).model_json_schema()))
    assert len(told) > 10
    assert [key for key, facts in told.items() if not facts.get("description")] == []
