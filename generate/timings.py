"""What is noted of how long a shard took while it is made; where the notes lie is in ``diptych.data.timings``."""

from collections.abc import Mapping
from typing import Any

from diptych.generate.backends.asked import ImageGroup


class ShardTiming:
    """What is noted of one shard while it is made."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.settings: list[dict[str, Any]] = []
        self.environments: list[Mapping[str, Any]] = []

    def add_batch(self, group: ImageGroup, images: int, seconds: float, environment: Mapping[str, Any]) -> None:
        """Note a batch."""
        setting = group.resolved.setting.label
        if not self.settings or (self.settings[-1]["model"], self.settings[-1]["setting"]) != (group.model, setting):
            blank = {"model": group.model, "setting": setting, "images": 0, "batches": 0}
            self.settings.append({**blank, "batch_size": group.batch_size, "seconds": 0.0})
        last = self.settings[-1]
        last["images"] += images
        last["batches"] += 1
        last["seconds"] = round(last["seconds"] + seconds, 4)
        if environment not in self.environments:
            self.environments.append(environment)
