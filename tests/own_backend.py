"""A backend of one's own, as small as one can be: grey pictures, darker for each step, of no model at all."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diptych.errors import ConfigError
from diptych.generate.backends import BackendModel, TextReader
from diptych.generate.backends.asked import ImageGroup, ModelChoice, PlannedImage, ResolvedSetting, Setting, Size
from diptych.generate.pictures import Pixels

OPENED: list[str] = []  # labels for which a renderer was opened


class GreyBackend:
    samplers = ("straight",)

    def check(self, choice: ModelChoice) -> None:
        if choice.revision is not None:
            raise ValueError("revision: grey has none")

    def find(self, label: str, choice: ModelChoice, *, with_weights: bool) -> "GreyModel":
        return GreyModel(label)

    def renderer(self, models: Mapping[str, BackendModel], *, device: str, threads: int) -> "GreyRenderer":
        OPENED.append("+".join(models))
        return GreyRenderer()


class GreyModel:
    takes_images = False
    notes = ()

    def __init__(self, label: str) -> None:
        self.label = label

    def identity(self, *, with_weights: bool) -> Mapping[str, Any]:
        return {"model": "grey"}

    def resolve(self, setting: Setting) -> ResolvedSetting:
        if setting.guidance is not None:
            raise ConfigError(f"models.{self.label}: grey takes no guidance; leave it out")
        size, steps = setting.size or Size(16, 16), setting.steps or 1
        return ResolvedSetting(
            setting=setting,
            sampler=setting.sampler or "straight",
            steps=steps,
            guidance=None,
            size=size,
            guides=False,
            counts=False,
            negative="never",
            nfe=steps,
            nfe_in_all=steps,
            identity=f"{size} {steps}",
            recipe=255 - steps,
        )

    def check_batch_size(self, batch_size: int) -> None:
        return None

    def reader(self) -> TextReader:
        return Letters()


class Letters:
    cut = 0
    notes = ()

    def text(self, text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    def negative(self, text: str | None) -> str:
        return ""


class GreyRenderer:
    load_s = 0.0
    environment: Mapping[str, Any] = {"device": "paper"}

    def render(self, group: ImageGroup, images: Sequence[PlannedImage]) -> list[Pixels | None]:
        size = group.resolved.size or Size(16, 16)
        made = [
            np.full((size.height, size.width, 3), group.resolved.recipe - image.seed % 100, np.uint8)
            for image in images
        ]
        for pixels in made:
            pixels[0, 0] = 0  # a picture of one colour is taken for a failure
        return list(made)

    def attempt(self, group: ImageGroup, image: PlannedImage) -> None:
        self.render(group, [image])
