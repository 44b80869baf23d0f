"""Odd configs made from seeds: ``validate`` says what is wrong, where, in a line, and the JSON Schema agrees."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from every_config import WRITTEN
from odd_inputs.configs import OddConfig, odd_config

from diptych.cli import CONFIGS, main
from diptych.config.plain_yaml import parse_yaml
from diptych.lookup import import_attribute

FEW, MANY = 40, 4_000
MOST_CALLS = 3_000_000  # of functions, for one file; the largest of the repository takes a tenth
PLACED = re.compile(r":\d+:\d+: (unknown key ['\"]|the key ['\"]|not valid YAML: |\S.*?: )")
WHOLE_FILE = re.compile(
    r": (a config is a mapping|the top-level key 'job' is missing|cannot be read as UTF-8|unknown job )"
)

# What the JSON Schema takes and `validate` refuses, by the message: JSON Schema has no words for it.
BEYOND_SCHEMA = {
    "a name that stands elsewhere in the config": r"unknown (encoder|judge|dataset|label|model|column) ",
    "keys that have a meaning together": r": source\.columns: declare|distances\.\d+: .* is paired here",
    "labels and names that must differ": r"the name .* is used twice|two sets have the name"
    r"|the labels .* are one to SQL|the label is the name of a number of protocols"
    r"|the label .* of its rule",
    "SQL": r": (select\.\d+\.where|dedup\.(prefer|perceptual|variants\.\d+)): ",
    "numbers that JSON does not have": r"finite number",
    "keys that are no texts": r"should be a valid string, got|Keys should be strings|is no text to YAML",
    "homes of nobody": r"there is no such home",
    "what the pipeline of a model takes": r": models\..*(option|component|dtype|revision|variant)",
}
# What the JSON Schema refuses and `validate` takes, by the values: YAML 1.1 has a text where YAML 1.2 has a number.
BEYOND_VALIDATE = {"an exponent without a dot or a sign": re.compile(r"[-+]?[\d.]+[eE][-+]?\d+")}


@cache
def schema(job: str) -> Any:
    return jsonschema.Draft202012Validator(import_attribute(CONFIGS[job]).model_json_schema())


@contextmanager
def counted_calls() -> Iterator[None]:
    """Raise where more functions are called than any config needs."""
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call"
        if calls > MOST_CALLS:
            sys.setprofile(None)
            raise AssertionError(f"more than {MOST_CALLS:,} calls")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)


def validated(odd: OddConfig, path: Path) -> list[str]:
    """Return what ``validate`` says against a config, a line for each problem."""
    path.write_bytes(odd.data)
    with counted_calls():
        result = CliRunner().invoke(main, ["validate", str(path)])
    where = f"seed {odd.seed} ({odd.base}, {odd.told}): {result.output[-300:]!r}"
    assert result.exception is None or isinstance(result.exception, SystemExit), f"{where} {result.exception!r}"
    assert (result.exit_code, not result.stderr) in ((0, True), (1, False)), where
    lines = result.stderr.removeprefix("Error: ").splitlines()
    for line in lines:
        assert line.startswith(str(path)), where
        said = line.removeprefix(str(path))
        assert PLACED.match(said) or WHOLE_FILE.match(said), where
        assert len(line) < len(str(path)) + 2_000, where
    return [line.removeprefix(str(path)) for line in lines]


def values_of(odd: OddConfig) -> Any:
    """Return the values as JSON has them; None where the text is none, or says not what it is for."""
    try:
        values = parse_yaml(odd.data.decode()).values
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    known = isinstance(values, dict) and isinstance(values.get("job"), str) and values["job"] in CONFIGS
    return json.loads(json.dumps(values)) if known else None


def place_of(problem: str) -> str:
    """Return the path of the key that a problem names."""
    found = re.match(r":\d+:\d+: (\S+): ", problem)
    return found[1] if found else ""


def check_schema(odd: OddConfig, problems: list[str], values: Any) -> None:
    problem = next(schema(values["job"]).iter_errors(values), None)
    where = f"seed {odd.seed} ({odd.base}, {odd.told}): {problems or problem}"
    if problems and problem is None:
        beyond = [line for line in problems if any(re.search(said, line) for said in BEYOND_SCHEMA.values())]
        # Where there may be one of two types, what stands deeper is told for the one, and the place for the other.
        deeper = [place_of(line) for line in beyond]
        rest = [line for line in problems if line not in beyond]
        assert beyond, f"the schema takes it: {where}"
        assert all(any(place.startswith(f"{place_of(line)}.") for place in deeper) for line in rest), where
    if problem is not None and not problems:
        assert any(known.search(str(problem.instance)) for known in BEYOND_VALIDATE.values()), (
            f"validate takes it: {where}"
        )


def check_seeds(seeds: range, folder: Path) -> None:
    for seed in seeds:
        odd = odd_config(seed, WRITTEN)
        problems = validated(odd, folder / "odd.yaml")
        values = values_of(odd)
        if values is not None and not any("stands in line" in line for line in problems):
            check_schema(odd, problems, values)


def test_odd_configs_are_refused_in_lines_with_their_places_and_by_the_schema_too(tmp_path: Path) -> None:
    check_seeds(range(FEW), tmp_path)


@pytest.mark.slow
def test_many_odd_configs_are_refused_in_lines_with_their_places_and_by_the_schema_too(tmp_path: Path) -> None:
    check_seeds(range(FEW, MANY), tmp_path)
