"""Which folder above an image is called after its model, where a layout does not say which it is.

The nearest one that is not that of the prompt, and has a letter in its name (those of dates and counts have none);
where all images lie in folders of one name, such as ``sdxl/samples`` and ``flux/samples``, the nearest by which they
differ. None is where a program puts what it makes, whatever made it: by its name, or because the images in it say
several models themselves.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from diptych.generate.imported.identified_images import IdentifiedImage
from diptych.generate.imported.layouts.compbench import CATEGORIES, SAMPLES
from diptych.generate.imported.matching import MIN_BEGINNING, KnownPrompt, letters_of

# Where A1111 and Forge, ComfyUI, InvokeAI, and the scripts of T2I-CompBench put images of any model.
OF_PROGRAMS = frozenset(
    {"txt2img-images", "txt2img-grids", "img2img-images", "img2img-grids", "extras-images", "output", "outputs"}
    | {SAMPLES, *(f"{category}_val" for category in CATEGORIES)}
)


def in_model_folders(images: Sequence[IdentifiedImage], prompts: Mapping[int, KnownPrompt]) -> list[IdentifiedImage]:
    """Return images with the folders of their models.

    Args:
        images: What was found.
        prompts: By the number of the image, what it is of. One that is of none is in the folder of a model only where
            images of prompts are as well.
    """
    supposed = [number for number, image in enumerate(images) if image.found.is_supposed]
    above = {number: _folders(images[number], prompts.get(number)) for number in supposed}
    matched = [above[number] for number in supposed if number in prompts]
    deepest = max(map(len, matched), default=0)
    level = next((at for at in range(deepest) if len({_at(folders, at) for folders in matched}) > 1), 0)
    models = {_at(folders, level) for folders in matched}
    found = list(images)
    for number, folders in above.items():
        known = (folder for folder in folders if folder in models)
        folder = _at(folders, level) if number in prompts else next(known, None)
        found[number] = replace(images[number], found=replace(images[number].found, folder=folder))
    return _without_mixed(found)


def _without_mixed(images: Sequence[IdentifiedImage]) -> list[IdentifiedImage]:
    """Return images without their folder where it is a supposed one, and images in it say several models themselves."""
    said: dict[str | None, set[str]] = defaultdict(set)
    for image in images:
        if model := image.said.get("model"):
            said[image.found.folder].add(model)
    return [
        replace(image, found=replace(image.found, folder=None))
        if image.found.is_supposed and image.said.get("model") and len(said[image.found.folder]) > 1
        else image
        for image in images
    ]


def _folders(image: IdentifiedImage, prompt: KnownPrompt | None) -> list[str]:
    """Return the folders above an image that may be called after its model, the nearest first."""
    above = reversed(PurePosixPath(image.found.file).parts[:-1])
    named = (folder for folder in above if any(map(str.isalpha, folder)) and folder.lower() not in OF_PROGRAMS)
    return [folder for folder in named if prompt is None or not _is_of_prompt(folder, prompt)]


def _is_of_prompt(folder: str, prompt: KnownPrompt) -> bool:
    letters, text = letters_of(folder), letters_of(prompt.text or "")
    is_beginning = len(letters) >= MIN_BEGINNING and text.startswith(letters)
    return folder == prompt.id or letters == text or is_beginning


def _at(folders: Sequence[str], level: int) -> str | None:
    """Return the folder of a level, or the outermost one below it."""
    return folders[min(level, len(folders) - 1)] if folders else None
