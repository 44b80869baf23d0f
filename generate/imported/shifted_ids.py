"""Whether the numbers that images are called by count from 0 where the ids of the prompts count from 1, or the reverse.

Each image then has the number of its neighbour's prompt, and only those at one end have none. Where the numbers,
shifted by one, are all ids that there are, and as they stand they are not, that is refused. Where they are some of
them, it is said: they may be images of the first prompts alone, with a stray.
"""

from collections.abc import Sequence

from diptych.errors import DataError
from diptych.generate.imported.found_images import is_number
from diptych.generate.imported.identified_images import IdentifiedImage
from diptych.generate.imported.matching import KnownPrompt
from diptych.generate.imported.own_text import PromptOfImage


def check_counting(
    images: Sequence[IdentifiedImage], found: Sequence[PromptOfImage], prompts: Sequence[KnownPrompt]
) -> str:
    """Return in words that numbers may be shifted; empty where nothing says so.

    Raises:
        DataError: If they surely are.
    """
    ids = {int(prompt.id) for prompt in prompts if is_number(prompt.id)}
    files: dict[int, str] = {}
    for image, one in zip(images, found, strict=True):
        for number in _number(image, one):
            files.setdefault(number, image.found.file)
    numbers = files.keys()
    if not ids or not numbers or {min(ids), min(numbers)} != {0, 1}:
        return ""
    if not any(one.match is not None and one.match.by == "id" for one in found):
        return ""
    step = min(ids) - min(numbers)
    shifted = {number + step for number in numbers}
    are_all, are_some = ids <= shifted and not ids <= numbers, shifted <= ids and not numbers <= ids
    if not (are_all or are_some):
        return ""
    said = (
        f"the numbers of images count from {min(numbers)}, such as {files[min(numbers)]}, and the ids of the prompts "
        f"count from {min(ids)}: all of them would be of a prompt if they were one {'more' if step == 1 else 'less'}; "
        f"give prompts with the ids that the names have (a .csv with the columns id and prompt), "
        f"or take {files[min(numbers)]} out if it is of none"
    )
    if are_all:
        raise DataError(said)
    return said


def _number(image: IdentifiedImage, found: PromptOfImage) -> list[int]:
    """Return the number that an image is called by, where that is what its prompt is known by."""
    is_by_text = found.match is not None and found.match.by != "id" and image.found.told is None
    if image.found.misnamed or is_by_text:
        return []
    return [int(one.prompt_id or 0) for one in found.readings if is_number(one.prompt_id)][:1]
