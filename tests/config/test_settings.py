"""What holds for every config: its paths are places, of this machine or in a store."""

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from diptych.cli import CONFIGS
from diptych.config.options import call_with_options
from diptych.config.settings import Place, Settings
from diptych.errors import ConfigError
from diptych.lookup import import_attribute

ADDRESS, ELSEWHERE = "s3://bucket/x", "https://host/x"
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
def test_every_path_in_a_config_may_be_in_a_store_and_nowhere_else(model: type[BaseModel], name: str) -> None:
    def said(address: str) -> set[str]:
        return {
            error["msg"]
            for value in (address, [address], {"label": address})
            for error in problems(model, {name: value, "no_such_key": 0})
            if error["loc"][0] == name
        }

    assert f"Value error, {ELSEWHERE}: {OF_A_PLACE}" in said(ELSEWHERE)
    assert not any(ADDRESS in message for message in said(ADDRESS))


def problems(model: type[BaseModel], values: dict[str, Any]) -> list[Any]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    return caught.value.errors()


class Somewhere(Settings):
    where: Place


def test_a_path_is_taken_as_it_is_and_a_number_is_none() -> None:
    assert Somewhere(where=Path("a/b")).where == Somewhere.model_validate({"where": "a/b"}).where == Path("a/b")
    assert Somewhere.model_validate({"where": ADDRESS}).where == ADDRESS
    assert {error["loc"] for error in problems(Somewhere, {"where": 3})} >= {("where", "str")}


def test_path_among_the_options_of_a_factory_is_local() -> None:
    def factory(*, path: Path | None = None) -> Path | None:
        return path

    assert call_with_options(factory, {"path": "a/b"}, where="prompts 'x'") == Path("a/b")
    with pytest.raises(ConfigError, match="prompts 'x': option 'path': s3://bucket/x: only a local path can be used"):
        call_with_options(factory, {"path": ADDRESS}, where="prompts 'x'")
