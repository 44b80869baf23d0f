"""T2I-CompBench: ``<prompt>_<000000>.png``, the prompt in the name, a folder for each category (arXiv:2307.06350).

The six digits count over a run in some scripts and begin anew with each prompt in others; what they say in both is the
order, by which the images of a prompt are counted here. Its own scripts take the prompt to end at the first ``_``.
Other programs write one for each space, or for a sign that no name can have: such names are known for this layout only
where its prompts are asked for.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from diptych.data.generated_columns import CATEGORY
from diptych.generate.imported.found_images import FoundImage, ImportLayout, PlaceReading, SourceFolder, words_of_name
from diptych.generate.imported.layouts.ids import MOST

CATEGORIES = ("3d_spatial", "color", "complex", "non_spatial", "numeracy", "shape", "spatial", "texture")
ITS_OWN = re.compile(r"[^_]+_\d{6}")
NAME = re.compile(r"(?P<prompt>.+)_\d{6}", re.DOTALL)
SAMPLES = "samples"
KINDS = tuple(f"t2i_compbench_{category}" for category in CATEGORIES)


def _recognise(source: SourceFolder, called_so: re.Pattern[str] = ITS_OWN) -> str | None:
    called = sum(1 for name in source.pictures if called_so.fullmatch(PurePosixPath(name).stem))
    if called <= MOST * len(source.pictures):
        return None
    return f"{called:,} of {len(source.pictures):,} files are called PROMPT_000000"


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    for name in source.pictures:
        path = PurePosixPath(name)
        folders = [part for part in path.parts[:-1] if part != SAMPLES]
        category = _category(folders)
        model = next(iter(folders[-2::-1] if category is not None else folders[::-1]), None)
        found = NAME.fullmatch(path.stem)
        if found is None:
            text = PlaceReading(text=path.stem)
            why = "is no PROMPT_000000.png: the six digits are missing"
            yield FoundImage(name, (text,), misnamed=why, folder=model)
            continue
        alone = PlaceReading(text=words_of_name(found["prompt"]))
        facts = {CATEGORY: [category]} if category is not None else {}
        yield FoundImage(name, (PlaceReading(text=found["prompt"]),), alone, facts, folder=model)


def _category(folders: Sequence[str]) -> str | None:
    """Return the category that the last folder is called after; None where it is not."""
    name = folders[-1].removesuffix("_val") if folders else ""
    return name if name in CATEGORIES else None


def _recognise_asked(source: SourceFolder) -> str | None:
    return _recognise(source, NAME)


COMPBENCH = ImportLayout("t2i_compbench", _recognise, _images, recognise_asked=dict.fromkeys(KINDS, _recognise_asked))
