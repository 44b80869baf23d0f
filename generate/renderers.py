"""Who makes the images of a plan: the renderer of each model's backend, opened when an image needs it."""

from collections.abc import Mapping, Sequence
from typing import Any

from diptych.generate.backends import Renderer, make_backend
from diptych.generate.backends.asked import ImageGroup, PlannedImage
from diptych.generate.pictures import Pixels
from diptych.generate.plan import GenerationPlan


class Renderers:
    """Makes the images of a plan. Holds one backend, and by it one model, at a time."""

    def __init__(self, plan: GenerationPlan) -> None:
        """Make ready for a plan; nothing is loaded yet."""
        self._plan = plan
        self._backend = ""
        self._renderer: Renderer | None = None
        self._load_s = 0.0

    @property
    def load_s(self) -> float:
        """Seconds that models were loaded for."""
        return self._load_s + (self._renderer.load_s if self._renderer is not None else 0.0)

    @property
    def environment(self) -> Mapping[str, Any]:
        """What can change last bits beside the config, of the backend that made the last image."""
        return self._renderer.environment if self._renderer is not None else {}

    def render(self, group: ImageGroup, images: Sequence[PlannedImage]) -> list[Pixels | None]:
        """Return at most ``group.batch_size`` images, RGB uint8 (height, width, 3); None where values are no numbers.

        Raises:
            DiptychError: As the backend says.
        """
        return self._of(self._plan.config.models[group.model].backend).render(group, images)

    def attempt(self, group: ImageGroup, image: PlannedImage) -> None:
        """Make the first steps of an image, in a batch of the shape that ``render`` makes.

        Raises:
            DiptychError: As the backend says.
        """
        self._of(self._plan.config.models[group.model].backend).attempt(group, image)

    def _of(self, backend: str) -> Renderer:
        if self._renderer is None or backend != self._backend:
            self._load_s, self._renderer = self.load_s, None  # what it holds goes before another is opened
            config = self._plan.config
            own = {
                label: model for label, model in self._plan.models.items() if config.models[label].backend == backend
            }
            self._renderer = make_backend(backend).renderer(own, device=config.device, threads=config.threads)
            self._backend = backend
        return self._renderer
