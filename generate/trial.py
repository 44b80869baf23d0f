"""Trials: before a long run each setting makes its first steps in the shape of the run, so that failures show soon.

A setting that fails there is given up: its images are rows with the reason, and no more of it is tried.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from diptych.errors import DiptychError, MissingExtra
from diptych.generate.attempts import GIVEN_UP_AFTER
from diptych.generate.backends import ImageRefused
from diptych.generate.layout import Layout
from diptych.generate.plan import GenerationPlan
from diptych.generate.renderers import Renderers
from diptych.generate.rows import FAILED, OK
from diptych.jobs import run_job
from diptych.jobs.contract import Report
from diptych.jobs.engine import Engine
from diptych.progress import track

LONG = 20  # batches of each setting: from there on a trial costs a small part of the run


class TrialTask(NamedTuple):
    """The settings of a model that are tried: of each the numbers of the first images that are to be rendered."""

    model: str
    images: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class TrialJob:
    """Tries settings of a plan."""

    plan: GenerationPlan

    @property
    def uses_gpu(self) -> bool:
        """Whether a worker takes a GPU for itself, where there are some."""
        return self.plan.config.device != "cpu"

    def open(self, report: Report) -> Callable[[TrialTask], dict[str, str]]:
        """Return the function that tries the settings of a model and says of those that fail why, by group."""
        renderers = Renderers(self.plan)

        def work(task: TrialTask) -> dict[str, str]:
            found: dict[str, str] = {}
            for numbers in task.images:
                reason = _why_not(self.plan, renderers, numbers)
                found |= {self.plan.group_of(numbers[0]).label: reason} if reason else {}
                report(1, {FAILED if reason else OK: 1})
            return found

        return work


def failing_groups(plan: GenerationPlan, layout: Layout, *, engine: Engine, progress: str) -> Mapping[str, str]:
    """Return which settings of a long run fail, by the label of their group, and why; none of a short run.

    Args:
        plan: What is made.
        layout: What there is to do.
        engine: Who tries them.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        MissingExtra: If a library is not installed.
    """
    numbers = [number for task in layout.tasks for number in task.rendered]
    counts = Counter(number // plan.images_per_group for number in numbers)
    batches = sum(-(-count // plan.groups[index].batch_size) for index, count in counts.items())
    if len(counts) < 2 or batches < LONG * len(counts):
        return {}
    first: dict[int, list[int]] = {}
    for number in numbers:
        images = first.setdefault(number // plan.images_per_group, [])
        images += [number] if len(images) < GIVEN_UP_AFTER else []
    by_model: dict[str, list[tuple[int, ...]]] = {}
    for index, images in sorted(first.items()):
        by_model.setdefault(plan.groups[index].model, []).append(tuple(images))
    tasks = [TrialTask(model, tuple(images)) for model, images in by_model.items()]
    found: dict[str, str] = {}
    with track("try each setting", len(first), mode=progress, unit="settings") as tracker:
        for failed in run_job(TrialJob(plan), tasks, engine=engine, report=tracker.advance):
            found |= failed
    return found


def _why_not(plan: GenerationPlan, renderers: Renderers, numbers: Sequence[int]) -> str:
    """Return why no image of a group can be made; empty if the first ones are not all refused."""
    group, refused = plan.group_of(numbers[0]), ""
    for number in numbers:
        try:
            renderers.attempt(group, plan.image(number))
        except MissingExtra:
            raise
        except ImageRefused as error:
            refused = str(error)
        except DiptychError as error:
            return str(error)
        else:
            return ""
    return refused
