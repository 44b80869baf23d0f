"""The benchmark of HPDv2: 3,200 prompts of four styles (Wu et al. 2023, arXiv:2306.09341). They bring no checks.

A file for each style, a list of 800 texts; 28 texts stand there twice. The id is ``<style>/00000``, as images of the
benchmark lie in folders, and the style is the category. The prompts are from DiffusionDB and COCO captions; their
licence is for whoever takes them to look up, so that they come from a folder and by no download of diptych.
"""

from collections.abc import Iterator

from diptych.data.text_records import json_value
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_files
from diptych.storage.store_path import ReadPath

STYLES = ("anime", "concept-art", "paintings", "photo")


def hpsv2(*, path: ReadPath) -> PromptSet:
    """Return the prompts of the four styles.

    Args:
        path: A folder that holds ``anime.json`` and so on, of ``benchmark`` in zhwang/HPDv2 on the hub.

    Raises:
        DataError: If a file is not there or is no list of texts.
    """
    files = [path / f"{style}.json" for style in STYLES]
    found = [one for style, file in zip(STYLES, files, strict=True) for one in _prompts(style, file)]
    return set_of_files(found, files)


def _prompts(style: str, file: ReadPath) -> Iterator[tuple[ReadPath, int, Prompt]]:
    given = json_value(read_text(file), file)
    if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
        raise DataError(f"{file}: the prompts of a style of HPDv2 are a list of texts")
    for number, text in enumerate(given):
        yield file, number + 1, Prompt(f"{style}/{number:05d}", text, (style,))
