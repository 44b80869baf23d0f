"""``diptych generate verify``: make some images of a finished run again and compare their bytes."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diptych.addresses import Address
from diptych.config.load import load
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.images import decode
from diptych.data.shards import read_shard
from diptych.errors import DataError
from diptych.generate.attempts import Attempts
from diptych.generate.backends.asked import ImageGroup, PlannedImage
from diptych.generate.config import GenerateConfig
from diptych.generate.pictures import encode
from diptych.generate.plan import GenerationPlan, make_plan
from diptych.generate.renderers import Renderers
from diptych.generate.rows import NotMade, Rendered
from diptych.progress import track
from diptych.storage.json_objects import write_json

SMALL_DIFFERENCE = 2  # in steps of 1/255: what another machine or library may make of the same arithmetic


@dataclass(frozen=True)
class Compared:
    """How the images of one model and setting came out.

    Attributes:
        model: Label of the model.
        setting: Label of the setting.
        images: How many were made again.
        identical: How many had the same bytes.
        largest: Largest difference of a channel of a pixel, in [0, 255].
        psnr_db: Peak signal-to-noise ratio over all of them in decibels; None if nothing differs.
        not_made: Why one that has a picture could not be made again; empty where each could.
    """

    model: str
    setting: str
    images: int
    identical: int
    largest: int
    psnr_db: float | None
    not_made: str = ""


def stored_config(dataset: Dataset, overrides: tuple[str, ...], folder: Path) -> GenerateConfig:
    """Return the config that made a dataset, with overrides such as another place of a model.

    Args:
        dataset: A generated one.
        overrides: ``a.b=value`` strings.
        folder: For a temporary file.

    Raises:
        DataError: If the dataset was not generated here.
    """
    made_by = dataset.manifest.get("made_by")
    config = made_by.get("config") if isinstance(made_by, Mapping) else None
    if dataset.manifest.get("kind") != "generated" or not isinstance(config, Mapping):
        raise DataError(f"{dataset.location}: not a dataset that diptych generate made")
    path = folder / "config.yaml"  # JSON is YAML
    write_json(path, config)
    return load(path, GenerateConfig, overrides)


def verify(
    dataset: Dataset, plan: GenerationPlan, *, count: int, seed: int = 0, progress: str = "auto"
) -> list[Compared]:
    """Make ``count`` images of a dataset again, each among other neighbours than before, and compare.

    Args:
        dataset: What to look at.
        plan: Made from its config, with weights.
        count: How many images, drawn at random.
        seed: Of the draw.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        DataError: If the dataset has other keys than the plan: other weights, prompts or settings.
    """
    count = min(count, plan.images)
    chosen = random.Random(seed).sample(range(plan.images), count)  # in no order: all of them have other neighbours
    wanted: dict[int, list[PlannedImage]] = {}
    for number in chosen:
        wanted.setdefault(number // plan.images_per_group, []).append(plan.image(number))
    attempts = Attempts(Renderers(plan), {})
    found = []
    with track("verify", count, mode=progress, unit="images") as tracker:
        for index, rows in sorted(wanted.items(), key=lambda item: item[0]):
            group = plan.groups[index]
            stored = _stored(dataset, [plan.key(group, row) for row in rows])
            again: list[Rendered] = []
            for first in range(0, len(rows), group.batch_size):
                batch = rows[first : first + group.batch_size]
                again += attempts.render(group, batch)
                tracker.advance(len(batch))
            found.append(_compare(group, plan.config.format, stored, again))
    return found


def verify_directory(path: Address, overrides: tuple[str, ...], count: int, progress: str) -> list[Compared]:
    """Verify a dataset directory by the config that it carries.

    Raises:
        DiptychError: As ``verify`` and the plan say.
    """
    import tempfile

    dataset = open_dataset(path)
    with tempfile.TemporaryDirectory() as folder:
        config = stored_config(dataset, overrides, Path(folder))
    plan = make_plan(config, with_weights=True, progress=progress)
    known = {(one["model"], one["setting"]) for one in dataset.manifest["made_by"].get("refused", ())}
    for refused in plan.refused:
        if (refused.model, refused.setting) not in known:
            raise DataError(refused.reason)
    return verify(dataset, plan, count=count, progress=progress)


def _stored(dataset: Dataset, keys: list[str]) -> list[bytes | None]:
    """Return the files of some rows of a dataset, None for a row without an image."""
    found: dict[str, bytes | None] = {}
    missing = set(keys)
    for file in dataset.files:
        here = [key for key in read_shard(file, ["key"])["key"].to_pylist() if key in missing]
        if here:
            table = read_shard(file, ["key", "image"])
            rows: list[dict[str, Any]] = [row for row in table.to_pylist() if row["key"] in missing]
            found |= {row["key"]: row["image"]["bytes"] if row["image"] else None for row in rows}
            missing -= set(here)
    if missing:
        raise DataError(
            f"{dataset.location}: {len(missing)} of {len(keys)} images have other keys than its config gives today: "
            f"weights, prompts or a scheduler's defaults have changed since"
        )
    return [found[key] for key in keys]


def _compare(group: ImageGroup, format: str, stored: list[bytes | None], made: list[Rendered]) -> Compared:
    identical, largest, squares, values = 0, 0, 0.0, 0
    reasons = [one.reason for file, one in zip(stored, made, strict=True) if isinstance(one, NotMade) and file]
    pixels = [None if isinstance(one, NotMade) else one for one in made]
    for file, again in zip(stored, pixels, strict=True):
        if file is None or again is None:
            identical += file is None and again is None
            largest = largest if file is None and again is None else 255
            continue
        if encode(again, format) == file:
            identical += 1
            continue
        difference = np.abs(np.asarray(decode(file), np.int32) - again.astype(np.int32))
        largest = max(largest, int(difference.max()))
        squares, values = squares + float((difference**2).sum()), values + difference.size
    psnr = 10 * float(np.log10(255**2 * values / squares)) if squares else None
    return Compared(group.model, group.resolved.setting.label, len(stored), identical, largest, psnr, (*reasons, "")[0])
