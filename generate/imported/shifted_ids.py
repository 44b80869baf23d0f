"""Whether the numbers that images are called by count from 0 where the ids of the prompts count from 1, or the reverse.

Each image then has the number of its neighbour's prompt, and only those at one end have none. Where the numbers,
shifted by one, are all ids that there are, and as they stand they are not, that is refused. Where they are some of
them, it is said: they may be images of the first prompts alone, with a stray, or of all but the first. Nothing is said
where the images, or a table, say the texts of these prompts.
"""

from collections.abc import Mapping, Sequence

from diptych.data.same_text import is_same_text
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
    are_all, are_some = ids <= shifted and not ids <= numbers, shifted <= ids
    if not (are_all or are_some):
        return ""
    if numbers <= ids:
        return "" if _is_confirmed(images, found, prompts) else _may_be(files, min(ids))
    said = (
        f"the numbers of images count from {min(numbers)}, such as {files[min(numbers)]}, and the ids of the prompts "
        f"count from {min(ids)}: all of them would be of a prompt if they were one {'more' if step == 1 else 'less'}; "
        f"give prompts with the ids that the names have (a .csv with the columns id and prompt), "
        f"or take {files[min(numbers)]} out if it is of none"
    )
    if are_all:
        raise DataError(said)
    return said


def _may_be(files: Mapping[int, str], least: int) -> str:
    first = min(files)
    return (
        f"the numbers of images count from {first}, such as {files[first]}, and the ids of the prompts from {least}: "
        f"each is taken for the prompt of its own number; if {files[first]} is of the prompt {least}, give prompts "
        f"with the ids that the names have (a .csv with the columns id and prompt)"
    )


def _is_confirmed(
    images: Sequence[IdentifiedImage], found: Sequence[PromptOfImage], prompts: Sequence[KnownPrompt]
) -> bool:
    """Return whether an image or a table says the text of the prompt that the number is of, and none another."""
    said = [
        is_same_text(text, prompts[one.match.prompt].text or "")
        for image, one in zip(images, found, strict=True)
        if one.match is not None and (text := image.found.told.text if image.found.told else image.prompt)
    ]
    return bool(said) and all(said)


def _number(image: IdentifiedImage, found: PromptOfImage) -> list[int]:
    """Return the number that an image is called by, where that is what its prompt is known by."""
    is_by_text = found.match is not None and found.match.by != "id" and image.found.told is None
    if image.found.misnamed or is_by_text:
        return []
    return [int(one.prompt_id or 0) for one in found.readings if is_number(one.prompt_id)][:1]
