"""What editors are told of a config, its JSON Schema, is what ``validate`` takes: for every config that there is."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema.protocols
import jsonschema.validators
import pytest
import yaml
from every_config import WRITTEN, model_of
from pydantic import BaseModel

from diptych.cli import CONFIGS
from diptych.config.load import load
from diptych.lookup import import_attribute


def test_there_are_configs_in_files_and_in_documents() -> None:
    assert len([name for name in WRITTEN if name.startswith("configs/")]) >= 14
    assert {"curate.md", "evaluate.md", "generate.md", "reports.md"} <= {name.rpartition("-")[0] for name in WRITTEN}


@functools.cache
def validator_of(model: type[BaseModel]) -> jsonschema.protocols.Validator:
    """Return what checks a config by the schema of a model, which is checked itself."""
    schema = model.model_json_schema()
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_config_fits_its_schema_and_its_model(name: str, tmp_path: Path) -> None:
    text = WRITTEN[name]
    validator_of(model_of(text)).validate(yaml.safe_load(text))
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
