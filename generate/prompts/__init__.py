"""Prompt sets: what is asked for, under which id, in which categories, and what its picture is held against.

A prompt set is a keyword-only factory that returns a ``PromptSet``. Nothing here knows what is made of a prompt.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from diptych.asset_table import ASSETS, joined_source
from diptych.assets import file_sha256, is_asset
from diptych.data.checks import NOTHING, Checks
from diptych.data.text_records import no_text_problem
from diptych.errors import DataError
from diptych.generate.prompts.input_images import InputImage
from diptych.storage.store_path import ReadPath

# To add one: a module with a factory, a line here (alphabetical), a test.
PROMPT_SETS: dict[str, str] = {
    "bizgeneval": "diptych.generate.prompts.bizgeneval:bizgeneval",
    "coco_captions": "diptych.generate.prompts.coco_captions:coco_captions",
    "csv": "diptych.generate.prompts.csv_file:csv_file",
    "demo": "diptych.generate.prompts.demo:demo",
    "dpg": "diptych.generate.prompts.dpg:dpg",
    "drawn": "diptych.generate.prompts.drawn:drawn",
    "dsg": "diptych.generate.prompts.dsg:dsg",
    "genai_bench": "diptych.generate.prompts.genai_bench:genai_bench",
    "geneval": "diptych.generate.prompts.geneval:geneval",
    "geneval2": "diptych.generate.prompts.geneval2:geneval2",
    "hpsv2": "diptych.generate.prompts.hpsv2:hpsv2",
    "jsonl": "diptych.generate.prompts.jsonl_file:jsonl_file",
    "longtext": "diptych.generate.prompts.longtext:longtext",
    "longtext_zh": "diptych.generate.prompts.longtext:longtext_zh",
    "oneig": "diptych.generate.prompts.oneig:oneig",
    "oneig_zh": "diptych.generate.prompts.oneig:oneig_zh",
    "partiprompts": "diptych.generate.prompts.partiprompts:partiprompts",
    "t2i_compbench_3d_spatial": "diptych.generate.prompts.t2i_compbench:t2i_compbench_3d_spatial",
    "t2i_compbench_color": "diptych.generate.prompts.t2i_compbench:t2i_compbench_color",
    "t2i_compbench_complex": "diptych.generate.prompts.t2i_compbench:t2i_compbench_complex",
    "t2i_compbench_non_spatial": "diptych.generate.prompts.t2i_compbench:t2i_compbench_non_spatial",
    "t2i_compbench_numeracy": "diptych.generate.prompts.t2i_compbench:t2i_compbench_numeracy",
    "t2i_compbench_shape": "diptych.generate.prompts.t2i_compbench:t2i_compbench_shape",
    "t2i_compbench_spatial": "diptych.generate.prompts.t2i_compbench:t2i_compbench_spatial",
    "t2i_compbench_texture": "diptych.generate.prompts.t2i_compbench:t2i_compbench_texture",
    "t2i_corebench": "diptych.generate.prompts.t2i_corebench:t2i_corebench",
    "tifa": "diptych.generate.prompts.tifa:tifa",
    "tiif_long": "diptych.generate.prompts.tiif:tiif_long",
    "tiif_mini_long": "diptych.generate.prompts.tiif:tiif_mini_long",
    "tiif_mini_short": "diptych.generate.prompts.tiif:tiif_mini_short",
    "tiif_short": "diptych.generate.prompts.tiif:tiif_short",
    "txt": "diptych.generate.prompts.txt_file:txt_file",
    "unigenbench": "diptych.generate.prompts.unigenbench:unigenbench",
    "unigenbench_long": "diptych.generate.prompts.unigenbench:unigenbench_long",
    "unigenbench_zh": "diptych.generate.prompts.unigenbench:unigenbench_zh",
    "unigenbench_zh_long": "diptych.generate.prompts.unigenbench:unigenbench_zh_long",
    "wise": "diptych.generate.prompts.wise:wise",
    "wise_legacy": "diptych.generate.prompts.wise:wise_legacy",
}

MAX_FILE_BYTES = 256 * 2**20

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Prompt:
    """One prompt.

    Attributes:
        id: Its name within the set.
        text: What is asked for.
        categories: Its groups in reports, each counted in full; none if it has none.
        checks: What its picture is held against.
        negative: Its own negative prompt; None if it has none.
        images: What a picture is made from beside the text.
        columns: What else is known of it, by name; carried into the generated data.
    """

    id: str
    text: str
    categories: tuple[str, ...] = ()
    checks: Checks = NOTHING
    negative: str | None = None
    images: tuple[InputImage, ...] = ()
    columns: Mapping[str, Cell] = field(default_factory=dict)

    @property
    def rendered(self) -> tuple[str, str | None, tuple[str, ...]]:
        """What a picture follows from: text, negative prompt, names of the input images."""
        return self.text, self.negative, tuple(image.name for image in self.images)

    @property
    def identity(self) -> list[Any]:
        """Everything that it says, as values of JSON."""
        columns = dict(sorted(self.columns.items()))
        return [self.id, *self.rendered, self.categories, self.checks.to_json(), columns]


@dataclass(frozen=True)
class PromptSet:
    """Prompts and where they are from.

    Attributes:
        prompts: In the order of the source.
        source: Where upstream publishes them, or what made them.
        licence: Of the prompts, as upstream states it; empty for a user's own.
        sha256: Of the file, of several that of theirs line by line; empty where there is none.
        notes: In words, what a user may have meant otherwise than it was read.
    """

    prompts: tuple[Prompt, ...]
    source: str
    licence: str
    sha256: str
    notes: tuple[str, ...] = ()


def read_text(path: ReadPath) -> str:
    """Return the text of a file of prompts, without a byte order mark.

    Raises:
        DataError: If it cannot be read, is too large or is not UTF-8.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise DataError(f"{path}: {size:,} bytes; a file of prompts has at most {MAX_FILE_BYTES:,}")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file of prompts") from error
    except NotADirectoryError as error:
        file = next(above for above in path.parents if above.is_file())
        raise DataError(f"{file}: is a file; give the folder that holds {path.relative_to(file)}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: {no_text_problem(error)}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def set_of_file(prompts: Iterable[tuple[int, Prompt]], path: ReadPath, *, asset: str = "") -> PromptSet:
    """Return the set of the prompts of a file, after a look at each.

    Args:
        prompts: Each with its line.
        path: The file.
        asset: What is published; a file with the same bytes has its source and licence.

    Raises:
        DataError: If there are none, one is empty, or two have the same id.
    """
    return set_of_files([(path, line, prompt) for line, prompt in prompts], [path], assets=[asset] if asset else [])


def set_of_files(
    prompts: Iterable[tuple[ReadPath, int, Prompt]], paths: Sequence[ReadPath], *, assets: Sequence[str] = ()
) -> PromptSet:
    """Return the set of the prompts of some files that belong together, after a look at each.

    Args:
        prompts: Each with its file and its line there.
        paths: The files.
        assets: What is published, in the order of the files; the same bytes have its source and licence.

    Raises:
        DataError: If there are none, one is empty, or two have the same id.
    """
    found = _checked(prompts, paths)
    hashes = [file_sha256(path) for path in paths]
    sha256 = hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    known = [ASSETS[name] for name in assets]
    if known and all(is_asset(path, asset) for path, asset in zip(paths, known, strict=True)):
        return PromptSet(found, joined_source(assets), known[0].licence, sha256)
    return PromptSet(found, ", ".join(path.name for path in paths), "", sha256)


def _checked(prompts: Iterable[tuple[ReadPath, int, Prompt]], paths: Sequence[ReadPath]) -> tuple[Prompt, ...]:
    places: dict[str, tuple[ReadPath, int]] = {}
    found = []
    for path, line, prompt in prompts:
        if not prompt.text.strip():
            raise DataError(f"{path}:{line}: the prompt with the id {prompt.id!r} is empty; remove it or write one")
        if prompt.id in places:
            other, where = places[prompt.id]
            named = "" if other == path else f" of {other}"
            raise DataError(f"{path}:{line}: the id {prompt.id!r} stands in line {where}{named} already")
        places[prompt.id] = (path, line)
        found.append(prompt)
    if not found:
        raise DataError(f"{', '.join(map(str, paths))}: no prompts there")
    return tuple(found)
