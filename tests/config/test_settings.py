"""What holds for every config: its paths are local, or places in a store."""

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from diptych.cli import CONFIGS
from diptych.config.options import call_with_options
from diptych.config.settings import LocalPath, Settings
from diptych.errors import ConfigError
from diptych.lookup import import_attribute

ADDRESS, ELSEWHERE = "s3://bucket/x", "https://host/x"
OF_A_PATH = "only a local path can be used here, none of s3://; give a local path"
OF_A_PLACE = "no place of https:// can be used; give a local path, or one of s3://, gs://, az://, hf://"


def parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in typing.get_args(annotation):
        yield from parts(argument)


def models(model: type[BaseModel], known: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """Return a config model and all that it is made of."""
    if model not in known:
        known.add(model)
        for field in model.model_fields.values():
            for part in parts(field.annotation):
                if isinstance(part, type) and issubclass(part, BaseModel):
                    models(part, known)
    return known


PATHS = [
    pytest.param(model, name, id=f"{model.__name__}.{name}")
    for model in sorted(
        {found for target in CONFIGS.values() for found in models(import_attribute(target), set())},
        key=lambda model: model.__name__,
    )
    for name, field in model.model_fields.items()
    if Path in parts(field.annotation)
]


def test_there_are_configs_with_paths() -> None:
    assert len(PATHS) >= 8


@pytest.mark.parametrize(("model", "name"), PATHS)
def test_every_path_in_a_config_refuses_an_address(model: type[BaseModel], name: str) -> None:
    may_be_a_store = str in parts(model.model_fields[name].annotation)
    address, message = (ELSEWHERE, OF_A_PLACE) if may_be_a_store else (ADDRESS, OF_A_PATH)
    said = {
        error["msg"]
        for value in (address, [address], {"label": address})
        for error in problems(model, {name: value})
        if error["loc"][0] == name
    }
    assert f"Value error, {address}: {message}" in said


def problems(model: type[BaseModel], values: dict[str, Any]) -> list[Any]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    return caught.value.errors()


class Place(Settings):
    where: LocalPath


def test_a_path_is_taken_as_it_is_and_a_number_is_none() -> None:
    assert Place(where=Path("a/b")).where == Place.model_validate({"where": "a/b"}).where == Path("a/b")
    assert "path" in problems(Place, {"where": 3})[0]["msg"]


def test_path_among_the_options_of_a_factory_is_local() -> None:
    def factory(*, path: Path | None = None) -> Path | None:
        return path

    assert call_with_options(factory, {"path": "a/b"}, where="prompts 'x'") == Path("a/b")
    with pytest.raises(ConfigError, match="prompts 'x': option 'path': s3://bucket/x: only a local path can be used"):
        call_with_options(factory, {"path": ADDRESS}, where="prompts 'x'")
