"""Literal tables ``name -> "module:attribute"``, resolved on use.

A table keeps heavy imports out of start-up: naming a thing imports nothing, using it imports one module.
"""

import ast
import contextlib
import difflib
import importlib
import importlib.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.abc import InspectLoader
from typing import Any

from diptych.errors import ConfigError, MissingExtra

MAX_SHOWN = 80  # characters of an unknown name that a message repeats
# Third-party modules whose absence means that an extra is not installed.
EXTRA_OF_MODULE = {
    "PIL": "curate",
    "diffusers": "generate",
    "duckdb": "curate",
    "fsspec": "s3",
    "jinja2": "reports",
    "lingua": "curate",
    "mlflow": "mlflow",
    "numpy": "curate",
    "onnxruntime": "ocr",
    "open_clip": "curate",
    "pillow_heif": "heic",
    "pooch": "curate",
    "pyarrow": "curate",
    "rapidocr": "ocr",
    "ray": "ray",
    "rich": "curate",
    "scipy": "evaluate",
    "sklearn": "curate",
    "torch": "curate",
    "torchmetrics": "evaluate",
    "trackio": "trackio",
    "wandb": "wandb",
}


def nearest(name: str, known: Iterable[str], *, count: int = 2, cutoff: float = 0.5) -> list[str]:
    """Return up to ``count`` known names that look like ``name``, best first, whatever their case.

    Args:
        name: As it was given.
        known: The names that there are.
        count: Of the names to return.
        cutoff: How much they look like it, in [0, 1].

    >>> nearest("url", ["TEXT", "URL"])
    ['URL']
    """
    written = {each.casefold(): each for each in known}
    return [written[each] for each in difflib.get_close_matches(name.casefold(), written, n=count, cutoff=cutoff)]


def describe_unknown(kind: str, name: str, known: Iterable[str], close: Sequence[str] | None = None) -> str:
    """Return the sentence for an unknown name: the nearest names if any, then the full list.

    Args:
        kind: Of the name.
        name: As it was given.
        known: The names that there are.
        close: Those that may be meant; None takes those that look like it.

    >>> describe_unknown("score", "astetic", ["aesthetic", "nsfw"])
    "unknown score 'astetic'; did you mean 'aesthetic'? Known: aesthetic, nsfw"
    >>> describe_unknown("model", "sdxl", [])
    "unknown model 'sdxl'; there is none"
    """
    names = sorted(known)
    shown = repr(name) if len(repr(name)) <= MAX_SHOWN else f"{name[:MAX_SHOWN]!r}..."
    if not names:
        return f"unknown {kind} {shown}; there is none"
    close = nearest(name, names) if close is None else close
    hint = f"; did you mean {' or '.join(repr(match) for match in close)}?" if close else "."
    return f"unknown {kind} {shown}{hint} Known: {', '.join(names)}"


def title_of(target: str) -> str:
    """Return the first sentence of the docstring of the module behind ``"module:attribute"``; imports packages alone.

    >>> title_of("diptych.scores.hashes:hashes")
    'Hashes of the pixels, for copies and near copies'
    """
    docstring = ast.get_docstring(ast.parse(source_of(target.partition(":")[0]))) or ""
    return docstring.partition("\n\n")[0].partition(". ")[0].replace("\n", " ").rstrip(".")


def source_of(module: str) -> str:
    """Return the source of a module; imports packages alone. Empty where there is none."""
    spec = importlib.util.find_spec(module)
    source = spec.loader.get_source(spec.name) if spec and isinstance(spec.loader, InspectLoader) else None
    return source or ""


def import_attribute(target: str) -> Any:
    """Import ``"module:attribute"`` and return the attribute.

    Raises:
        MissingExtra: If a third-party module behind it is not installed.
    """
    module_name, _, attribute = target.partition(":")
    with naming_extras():
        module = importlib.import_module(module_name)
    return getattr(module, attribute)


@contextlib.contextmanager
def naming_extras() -> Iterator[None]:
    """Say with which extra a third-party module comes that is not found.

    Raises:
        MissingExtra: If one is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in EXTRA_OF_MODULE:
            raise MissingExtra(EXTRA_OF_MODULE[missing], missing) from error
        raise


def resolve(table: Mapping[str, str], kind: str, name: str) -> Any:
    """Return the attribute that ``name`` stands for in ``table``.

    Raises:
        ConfigError: If the name is not in the table; the message names the nearest ones.
        MissingExtra: If the part behind the name is not installed.
    """
    if name not in table:
        raise ConfigError(describe_unknown(kind, name, table))
    return import_attribute(table[name])
