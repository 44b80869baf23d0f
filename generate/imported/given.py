"""The config of an import from a command line: a file, or a source with a few options."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from pydantic import ValidationError

from diptych.addresses import Address
from diptych.config.load import STANDARD_INPUT, load
from diptych.config.overrides import with_override
from diptych.config.places import causes, what_is_wrong
from diptych.data.claims import OTHER
from diptych.errors import ConfigError, ShardError
from diptych.generate.imported.config import ImportConfig
from diptych.generate.prompts import PROMPT_SETS
from diptych.lookup import describe_unknown
from diptych.storage.location import Location
from diptych.storage.store_path import listed_path

CONFIGS = (".yaml", ".yml")
MOST_LETTERS = 61  # of the name of a set
FILES = {".csv": "csv", ".jsonl": "jsonl", ".tsv": "csv", ".txt": "txt"}  # ending of a file of prompts -> its kind


def given_config(given_source: Address, options: Mapping[str, str | None], overrides: Sequence[str]) -> ImportConfig:
    """Return the config that a source is, or that a source and options make.

    Args:
        given_source: A config (``-`` is the standard input), or a folder or table of images.
        options: ``prompts``, ``layout`` and ``model``; None where not given.
        overrides: ``a.b=value`` strings.

    Raises:
        ConfigError: If it is none.
    """
    source = listed_path(given_source)
    given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    if "prompts" in given:
        given["prompts"] = _prompts(given["prompts"])
    if str(source) == STANDARD_INPUT or (source.suffix.lower() in CONFIGS and source.is_file()):
        return load(source, ImportConfig, [*(f"{key}={json.dumps(value)}" for key, value in given.items()), *overrides])
    values: dict[str, Any] = {"job": "import", "name": source.stem, "source": str(source), **given}
    for override in overrides:
        values = with_override(values, override)
    try:
        return ImportConfig.model_validate(values)
    except ValidationError as error:
        problems = (what_is_wrong(problem, ImportConfig, values) for problem in causes(error))
        raise ConfigError("\n".join(problems)) from error


def check_outside_of_source(config: ImportConfig, out: Address) -> None:
    """Refuse a directory within the folder of images, which would be part of it when it is read again.

    Raises:
        ShardError: If it is one; writes nothing.
    """
    source, place = Location.at(config.source), Location.at(out)
    if source.is_store:
        is_inside = source in (place, *place.above())
    else:
        is_inside = not place.is_store and Path(place).resolve().is_relative_to(Path(source).resolve())
    if is_inside and source.is_directory():
        raise ShardError(f"{out}: lies in the source, {config.source}, which would change as it is read; {OTHER}")


def _label(stem: str) -> dict[str, str]:
    """Return the name of a set that is in a file of some name, of the signs that it may have; none where none is left.

    >>> _label("my p (2)"), _label("\u6587")
    ({'name': 'my_p_2'}, {})
    """
    name = re.sub(r"[^A-Za-z0-9.+-]+", "_", stem).strip("._+-")[:MOST_LETTERS]
    return {"name": name} if name else {}


def _prompts(given: str) -> dict[str, str]:
    """Return the prompt set that a name or a file stands for."""
    path = PurePath(given)
    if given in PROMPT_SETS:
        return {"kind": given}
    if path.suffix.lower() in FILES:
        return {"kind": FILES[path.suffix.lower()], **_label(path.stem), "path": given}
    kind = f"prompt set or file ({', '.join(FILES)})"
    raise ConfigError(f"--prompts: {describe_unknown(kind, given, PROMPT_SETS)}")
