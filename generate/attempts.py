"""Attempts: what fails is an image, or a model with one setting, each with its reason; the others go on."""

from collections.abc import Mapping, Sequence
from typing import Any

from diptych.errors import DiptychError, MissingExtra, Shortage
from diptych.generate.backends import ImageRefused
from diptych.generate.backends.asked import ImageGroup, PlannedImage
from diptych.generate.renderers import Renderers
from diptych.generate.rows import NotMade, Rendered

GIVEN_UP_AFTER = 3  # images that are refused before any of their group is made


class Attempts:
    """Renders images, or says why not. Of a group of which nothing can be made no more is tried."""

    def __init__(self, renderers: Renderers, given_up: Mapping[str, str]) -> None:
        """Begin.

        Args:
            renderers: Who makes the images.
            given_up: Groups, by their label, that are known to fail, and why: models with equal weights may have
                parts of which one is damaged, so that not even an equal identity makes them one.
        """
        self._renderers = renderers
        self._given_up = dict(given_up)
        self._refused: dict[str, int] = {}  # images of groups of which none was made yet
        self._made: set[str] = set()

    @property
    def load_s(self) -> float:
        """Seconds that models were loaded for."""
        return self._renderers.load_s

    @property
    def environment(self) -> Mapping[str, Any]:
        """What can change last bits beside the config, of the backend that made the last image."""
        return self._renderers.environment

    def render(self, group: ImageGroup, images: Sequence[PlannedImage]) -> list[Rendered]:
        """Return what came of at most ``group.batch_size`` images.

        Where a batch is refused each of its images is tried by itself, in a batch of copies, as its bytes do not depend
        on its neighbours.

        Raises:
            MissingExtra: If a library is not installed.
        """
        if group.label in self._given_up:
            return [NotMade(self._given_up[group.label])] * len(images)
        try:
            found: list[Rendered] = list(self._renderers.render(group, images))
        except MissingExtra:
            raise
        except ImageRefused as error:
            if len(images) > 1:
                return [one for image in images for one in self.render(group, [image])]
            return [self._refuse(group, str(error))]
        except DiptychError as error:
            if isinstance(error, Shortage) and group.label in self._made:  # it fitted: what changed is the machine
                raise
            self._given_up[group.label] = str(error)
            return [NotMade(str(error))] * len(images)
        self._made.add(group.label)
        return found

    def _refuse(self, group: ImageGroup, reason: str) -> NotMade:
        if group.label not in self._made:
            self._refused[group.label] = self._refused.get(group.label, 0) + 1
            if self._refused[group.label] >= GIVEN_UP_AFTER:
                self._given_up[group.label] = reason
        return NotMade(reason)
