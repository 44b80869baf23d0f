"""Writes ``docs/reference.md`` from the code: commands with options, keys of configs, parts with options, variables.

``make reference`` writes it; a test holds it equal to what the code says.
"""

import ast
import importlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from every_command import commands

from diptych.cli import CONFIGS
from diptych.encoders import ENCODERS
from diptych.evaluate.metrics.contract import SET_METRICS
from diptych.generate.prompts import PROMPT_SETS
from diptych.judges import JUDGES
from diptych.lookup import import_attribute
from diptych.scores import SCORES

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference.md"
FOLDERS = ("curate", "evaluate", "generate", "reports")

HEAD = """# Reference

Every command, option, key and environment variable. This page is written from the code by `make reference`; the pages
of the jobs say how things are used: [curate](curate.md), [generate](generate.md), [evaluate](evaluate.md),
[report](reports.md). `diptych COMMAND --help` and `diptych schema JOB` say the same where you work.
"""
KEYS = """
## Keys of configs

`LABEL` is a name of your own, `[]` stands for each of a list. A key without a default has to be there, if what it
belongs to is. Any key is changed for one run by `--set KEY=VALUE`, where the number of an entry stands for `[]`.
"""
PARTS = """
## Scores, encoders, judges, metrics, prompts

What stands under `options` of a config, with the defaults; one without a default has to be given.

"""
# Environment variables that the code reads or sets, and what for. To add one: a line here; a test finds those without.
VARIABLES = {
    "CI": "set: `diptych demo` opens no browser by itself",
    "CUBLAS_WORKSPACE_CONFIG": "set to `:4096:8` unless it is there, so that a GPU gives the same bytes again",
    "CUDA_VISIBLE_DEVICES": "the GPUs that may be used, in this order; a worker's begins with its own",
    "DIPTYCH_CACHE": "folder of downloads and of what is remembered of inputs; without it `diptych` in XDG_CACHE_HOME",
    "DIPTYCH_COLUMNS_DIR": "as `--columns-dir`",
    "DIPTYCH_CPUS": "how many processors to use, of those that may be; set for each worker to its part",
    "DIPTYCH_FIRST_GPU": "set for each of several workers: the number of the GPU that it sees first",
    "DIPTYCH_MEMORY_LIMIT": "what DuckDB may take, such as `4GB`; without it 80 % of the memory",
    "DIPTYCH_OFFLINE": "`1`, `on`, `yes` or `true`: nothing is downloaded; sets HF_HUB_OFFLINE",
    "DIPTYCH_PROGRESS": "as `--progress`",
    "DISPLAY": "set, or WAYLAND_DISPLAY: there is a desktop, where `diptych demo` opens its report",
    "DO_NOT_TRACK": "set to 1 unless it is there: libraries phone nobody",
    "HF_DATASETS_OFFLINE": "of the library datasets; `diptych doctor` says whether it is set",
    "HF_HOME": "where Hugging Face's libraries keep models; `diptych doctor` says how much lies there",
    "HF_HUB_CACHE": "as HF_HOME, of models alone",
    "HF_HUB_DISABLE_TELEMETRY": "as DO_NOT_TRACK",
    "HF_HUB_OFFLINE": "as DIPTYCH_OFFLINE",
    "HF_TOKEN": "for models of the hub behind a licence; `diptych doctor` says whether it is there, never what it is",
    "HUGGINGFACE_HUB_CACHE": "an older name of HF_HUB_CACHE",
    "NO_ALBUMENTATIONS_UPDATE": "as DO_NOT_TRACK",
    "PYTHONPATH": "set for workers of Ray on this machine, so that they find the same modules",
    "SSH_CONNECTION": "set: `diptych demo` opens no browser by itself",
    "TERM": "`dumb`: progress is lines and no bar",
    "TRANSFORMERS_OFFLINE": "as DIPTYCH_OFFLINE",
    "WANDB_ERROR_REPORTING": "set to `false` unless it is there: W&B's library reports no errors to its makers",
    "WAYLAND_DISPLAY": "as DISPLAY",
    "XDG_CACHE_HOME": "where caches lie; without it `~/.cache`",
}
NAME = re.compile(r"(?:CUDA|DIPTYCH|HF|HUGGINGFACE|TRANSFORMERS|XDG)_[A-Z_]+")


def page() -> str:
    """Return the whole page."""
    parts = [HEAD, "\n## Commands\n", *map("\n".join, _commands()), KEYS, *map("\n".join, _configs()), PARTS]
    parts += ["\n".join(_table(("part", "options", "what it is"), _parts())), "\n## Environment variables\n\n"]
    parts += [
        "\n".join(_table(("variable", "what it is for"), ((f"`{name}`", says) for name, says in VARIABLES.items())))
    ]
    return "".join(part if part.endswith("\n") else f"{part}\n" for part in parts)


def named_commands() -> Iterator[tuple[str, click.Command]]:
    """Yield each command by its words, the root first."""
    for words, command in commands():
        yield " ".join(("diptych", *words)), command


def _commands() -> Iterator[list[str]]:
    for words, command in named_commands():
        with click.Context(command, info_name=words) as context:
            arguments = [piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]"]
            options = [option for option in command.params if isinstance(option, click.Option)]
            records = [record for option in options if (record := option.get_help_record(context))]
        says = (command.help or "").replace("\b", "").partition("\n\n")[0].replace("\n", " ")
        if isinstance(command, click.Group) and not records:
            continue
        yield ["", f"### `{' '.join([words, *arguments])}`", "", says]
        if records:
            yield [
                "",
                *_table(
                    ("option", "what it does"), ((f"`{names.replace(' RANGE', '')}`", what) for names, what in records)
                ),
            ]


def keys(job: str) -> Iterator[tuple[str, str, str]]:
    """Yield each key of the config of a job: its path, its default in JSON or nothing, and what is said of it."""
    schema = import_attribute(CONFIGS[job]).model_json_schema()
    yield from _properties(schema, schema.get("$defs", {}), "")


def _properties(schema: Mapping[str, Any], parts: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, str]]:
    for key, told in schema.get("properties", {}).items():
        inner = list(_inner(told, parts))
        default = told.get("default", told.get("const"))
        is_plain = not (inner and isinstance(default, dict | list)) and ("default" in told or "const" in told)
        yield f"{prefix}{key}", f"`{json.dumps(default)}`" if is_plain else "", _says(told, parts)
        for suffix, part in inner:
            yield from _properties(part, parts, f"{prefix}{key}{suffix}.")


def _inner(told: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the models that the value of a key may be of, and what stands between the key and theirs."""
    if "$ref" in told:
        yield "", parts[told["$ref"].rpartition("/")[2]]
    for one in (*told.get("anyOf", ()), *told.get("allOf", ())):
        yield from _inner(one, parts)
    for one in told.get("oneOf", ()):
        for suffix, part in _inner(one, parts):
            yield f"{suffix} ({part['properties']['kind']['const']})", part
    labelled = [told.get("additionalProperties"), *told.get("patternProperties", {}).values()]
    for between, one in (("[]", told.get("items")), *((".LABEL", one) for one in labelled)):
        if isinstance(one, dict):
            yield from ((f"{between}{suffix}", part) for suffix, part in _inner(one, parts))


def _says(told: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """Return what is said of a key, with its choices where there are some."""
    choices = [value for one in (told, *told.get("anyOf", ())) for value in one.get("enum", ())]
    listed = " or ".join(f"`{value}`" for value in choices)
    said = re.sub(r"\bNone\b", "null", told.get("description", ""))  # as YAML has it
    return "; ".join(filter(None, [said, listed]))


def _configs() -> Iterator[list[str]]:
    for job in CONFIGS:
        rows = ((f"`{key}`", default, says) for key, default, says in keys(job))
        yield ["", f"### job: {job}", "", *_table(("key", "default", "what it is"), rows)]


def parts() -> Iterator[tuple[str, str, Any]]:
    """Yield the kind, the name and the target of everything that a config names and that has options."""
    tables = {"score": SCORES, "encoder": ENCODERS, "judge": JUDGES, "metric": SET_METRICS, "prompts": PROMPT_SETS}
    for kind, table in tables.items():
        for name, target in table.items():
            yield kind, name, target


def _parts() -> Iterator[tuple[str, str, str]]:
    for kind, name, target in parts():
        factory = import_attribute(target)
        module = importlib.import_module(target.partition(":")[0])
        first = (module.__doc__ or "").replace("``", "`").splitlines()[0]
        told = re.split(r"\. (?=[A-Z])", first)[0].rstrip(".")
        given = inspect.signature(factory).parameters.values() if callable(factory) else ()
        options = [
            f"`{one.name}`" if one.default is one.empty else f"`{one.name}={json.dumps(one.default)}`"
            for one in given
            if one.name not in {"encoder", "judge", "path"}
        ]
        yield f"{kind} `{name}`", ", ".join(options), told


def _table(heads: tuple[str, ...], rows: Any) -> list[str]:
    cells = [heads, ("---",) * len(heads), *rows]
    return [f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in row)} |" for row in cells]


def variables_in_code() -> set[str]:
    """Return the environment variables that the code reads or sets: by its calls, and by what looks like one."""
    files = [path for path in (ROOT / "src").rglob("*.py") if path.resolve() == path]
    files += [path for name in FOLDERS for path in (ROOT / name).rglob("*.py")]
    found: set[str] = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
                found.add(node.value)
            elif isinstance(node, ast.Call) and re.search(r"environ\.\w+$|getenv$", ast.unparse(node.func)):
                found |= {one.value for one in node.args[:1] if isinstance(one, ast.Constant)}
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
