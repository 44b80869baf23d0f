"""Read a config: YAML to a frozen pydantic model. What is wrong is said with file, line and key (see ``places``)."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from diptych.config.meant import close_keys
from diptych.config.overrides import with_override
from diptych.config.places import ConfigFile, GivenConfig, causes, describe_problem, place_of
from diptych.config.plain_yaml import TAG, ParsedYaml, in_plain_words, parse_yaml
from diptych.errors import ConfigError

STANDARD_INPUT = "-"
# The command that takes the configs of a job.
COMMANDS = {
    "curate": "curate run",
    "evaluate": "evaluate run",
    "generate": "generate run",
    "import": "generate import",
    "report": "report build",
}

KEY_TAGS = (f"{TAG}str", f"{TAG}merge")

Model = TypeVar("Model", bound=BaseModel)


def load(path: ConfigFile, model: type[Model], overrides: Sequence[str] = ()) -> Model:
    """Read a YAML file into ``model``.

    Args:
        path: The file, as ``read_path`` gives one; ``-`` is the standard input.
        model: The pydantic model of the job.
        overrides: ``a.b=value`` strings, the value in YAML, applied in order.

    Raises:
        ConfigError: If the file cannot be read, is not YAML, or does not fit; one line per problem, each with
            ``file:line:column`` (or the override), the key and what is wrong with its value.
    """
    given = _given(path, overrides)
    _refuse_another_job(path, given.values.get("job"), model)
    try:
        return model.model_validate(given.values)
    except ValidationError as error:
        raise ConfigError("\n".join(describe_problem(problem, model, given) for problem in causes(error))) from error


def place_in(path: ConfigFile, keys: Sequence[str | int], overrides: Sequence[str] = ()) -> str:
    """Return where a key of a config stands: ``file:line:column``, or the override that gives it.

    Args:
        path: The file; it was loaded before.
        keys: Those that lead to it.
        overrides: As it was loaded with.

    Raises:
        ConfigError: If the file cannot be read any more.
    """
    return place_of(list(keys), _given(path, overrides))


@contextmanager
def placing(path: ConfigFile, loaded: BaseModel, overrides: Sequence[str] = ()) -> Iterator[None]:
    """Say of what is wrong with a key of a config, which the message begins with, where it stands.

    Args:
        path: The file.
        loaded: What was read of it.
        overrides: As it was loaded with.
    """
    try:
        yield
    except ConfigError as error:
        first, *rest = str(error).partition(": ")[0].split(".")
        if first not in type(loaded).model_fields:
            raise
        keys = [first, *(int(name) if name.isdecimal() else name for name in rest)]
        raise ConfigError(f"{place_in(path, keys, overrides)}: {error}") from error


def _given(path: ConfigFile, overrides: Sequence[str]) -> GivenConfig:
    root, values = _parse(path)
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: a config is a mapping of keys to values, not a {type(values).__name__}")
    for override in overrides:
        values = with_override(values, override)
    return GivenConfig(path, root, values, overrides)


def _refuse_another_job(path: ConfigFile, job: object, model: type[BaseModel]) -> None:
    """Raise for a config of another job, of which every key would be wrong; say which command takes it."""
    field = model.model_fields.get("job")
    wanted = get_args(field.annotation) if field is not None else ()
    if isinstance(job, str) and job in COMMANDS and wanted and job not in wanted:
        raise ConfigError(f"{path}: a config of the job {job}, not {wanted[0]}; it is for: diptych {COMMANDS[job]}")


def read_job(path: ConfigFile) -> str:
    """Return the value of the top-level key ``job`` of a config file, which names the model it fits.

    Raises:
        ConfigError: If the file cannot be read or has no such key.
    """
    root, values = _parse(path)
    values = values if isinstance(values, dict) else {}
    job = values.get("job")
    if isinstance(job, str):
        return job
    close = next((key for key in values if key != "job" and close_keys(key, ["job"])), None)
    if close and "job" not in values:
        place = place_of([close], GivenConfig(path, root, values, ()))
        raise ConfigError(f"{place}: unknown key {close!r}; did you mean 'job'?")
    raise ConfigError(f"{path}: the top-level key 'job' is missing; it says what the file is for, e.g. job: curate")


@cache
def _standard_input() -> str:
    if sys.stdin is None:
        raise ConfigError("-: standard input is closed; give the config as a file")
    return sys.stdin.buffer.read().decode("utf-8")  # read once, and asked for twice: for the job, and for all else


def _parse(path: ConfigFile) -> ParsedYaml:
    try:
        text = _standard_input() if str(path) == STANDARD_INPUT else path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path}: a folder, not a config; give the YAML file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    try:
        parsed = parse_yaml(text)
        _check_keys(parsed.root, path)
        return parsed
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        problem = " ".join(str(getattr(error, "problem", error)).split())
        raise ConfigError(f"{place}: not valid YAML: {in_plain_words(problem)}") from error


def _check_keys(root: yaml.Node | None, path: ConfigFile) -> None:
    """Raise for a key that stands twice in one mapping, of which YAML would drop one silently, or is no text."""
    waiting, visited = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in visited or not isinstance(node, yaml.CollectionNode):
            continue
        visited.add(id(node))  # an alias leads to the same node again, and may lead in circles
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        waiting += [value for _, value in pairs] or node.value
        lines: dict[str, int] = {}
        for key in (key for key, _ in pairs if isinstance(key, yaml.ScalarNode)):
            place = f"{path}:{key.start_mark.line + 1}:{key.start_mark.column + 1}"
            if key.tag not in KEY_TAGS:
                raise ConfigError(f"{place}: the key {key.value!r} is no text to YAML; put it in quotes")
            if key.value in lines:
                raise ConfigError(f"{place}: the key {key.value!r} stands in line {lines[key.value]} already")
            lines[key.value] = key.start_mark.line + 1
