"""HEIM: the ``scenario_state.json`` of a run of HELM, which names the file of each image and the request for it.

HELM keeps images in a cache under random names; they are found by the end of the path that it wrote,
or by that name.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from diptych.data.text_records import whole_json
from diptych.errors import DataError
from diptych.generate.imported.found_images import FoundImage, ImportLayout, PlaceReading, SourceFolder, is_number
from diptych.generate.imported.named_files import find_named
from diptych.generate.imported.tools.said import part, tool_says
from diptych.generate.prompts import read_text

STATE = "scenario_state.json"
FILE_KEYS = ("file_location", "file_path", "location")  # of versions of HELM


def _states(source: SourceFolder) -> list[str]:
    return [name for name in source.names if name == STATE or name.endswith(f"/{STATE}")]


def _recognise(source: SourceFolder) -> str | None:
    found = _states(source)
    return f"{found[0]} names the images of each request" if found else None


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    told = [image for name in _states(source) for image in _of_state(source, name)]
    files = _files_of(source, [image.file for image in told])
    yield from (replace(image, file=files[image.file]) for image in told)
    named = set(files.values())
    for name in source.pictures:
        if name not in named:
            yield FoundImage(name, misnamed=f"no {STATE} names it")


def _files_of(source: SourceFolder, written: Sequence[str]) -> dict[str, str]:
    """Return the name of each file; where its folders are others here, the one that alone has its random name."""
    found = find_named(source, written)
    last = {path: PurePosixPath(path.replace("\\", "/")).name for path in found}
    counts, here = Counter(last.values()), defaultdict[str, list[str]](list)
    for name in source.names:
        here[PurePosixPath(name).name].append(name)
    for path, name in found.items():
        is_random = not is_number(PurePosixPath(last[path]).stem) and counts[last[path]] == 1
        if name not in source.known and is_random and len(here[last[path]]) == 1:
            found[path] = here[last[path]][0]
    return found


def _of_state(source: SourceFolder, name: str) -> Iterator[FoundImage]:
    folder = PurePosixPath(name).parent.name or None
    for number, state in enumerate(_requests(source, name)):
        yield from (replace(image, folder=folder) for image in _of_request(state, f"{name}:{number}"))


def _requests(source: SourceFolder, name: str) -> list[Mapping[str, Any]]:
    path = source.path(name)
    try:
        value = whole_json(read_text(path))
        states = value["request_states"]
        return [state for state in states if isinstance(state, Mapping)]
    except (ValueError, LookupError, TypeError) as error:
        raise DataError(f"{path}: is no {STATE} of HELM: {error!r}") from error


def _of_request(state: Mapping[str, Any], where: str) -> Iterator[FoundImage]:
    instance, request, result = (part(state, key) for key in ("instance", "request", "result"))
    text = part(instance, "input").get("text") or request.get("prompt")
    reading = PlaceReading(
        prompt_id=str(instance.get("id") or where), text=text if isinstance(text, str) else None, sample=None
    )
    readings = (PlaceReading(text=reading.text),) if reading.text else (reading,)
    completions = result.get("completions")
    for completion in completions if isinstance(completions, list) else ():
        for file in _files(completion):
            yield FoundImage(file, readings, reading, _facts(instance, request))


def _facts(instance: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    asked, perturbation = part(request, "image_generation_parameters"), part(instance, "perturbation").get("name")
    said = tool_says(
        None,
        model=request.get("model"),
        guidance=asked.get("guidance_scale"),
        steps=asked.get("diffusion_denoising_steps"),
    )
    return {**said.facts, **({"setting": perturbation} if isinstance(perturbation, str) else {})}


def _files(completion: Any) -> Iterator[str]:
    """Yield the paths of files in a completion, whichever version of HELM wrote it."""
    if not isinstance(completion, Mapping):
        return
    objects = part(completion, "multimodal_content").get("media_objects")
    for one in [completion, *(objects if isinstance(objects, list) else ())]:
        found = [one.get(key) for key in FILE_KEYS] if isinstance(one, Mapping) else []
        yield from (path for path in found if isinstance(path, str) and path)


HEIM = ImportLayout("heim", _recognise, _images)
