"""The run: a plan to a dataset directory, shard by shard; no image is rendered that is there already.

OUT is a dataset directory of the kind ``generated``. Nothing that is not the same the next time stands in the dataset
itself, apart from what made it; beside it lie the timings.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from diptych.addresses import Address
from diptych.data.dataset import Dataset
from diptych.data.growing import Growing, grow_data, seal_data, sealed_data
from diptych.data.prompt_sets import MADE_BY, PROMPTS, prompt_set_facts
from diptych.data.timings import append_timing, join_timings, read_environments
from diptych.generate.growth import AS_IT_IS, STEP, GrowthOptions, OtherRuns, find_shards, growth_of, open_others
from diptych.generate.kept import remove_kept
from diptych.generate.layout import Layout, ShardTask, check_layout, lay_out
from diptych.generate.outcome import outcome_of
from diptych.generate.plan import GenerationPlan
from diptych.generate.shard_job import GenerateJob
from diptych.generate.trial import failing_groups
from diptych.jobs import run_job
from diptych.jobs.engine import HERE, Engine
from diptych.progress import track
from diptych.progress.counting import Tracker
from diptych.provenance import collect
from diptych.storage.location import Location


class GeneratedRun(NamedTuple):
    """What a run leaves.

    Attributes:
        dataset: The dataset.
        shards_made: Shards that were written.
        rendered: Images that were rendered.
        reused: Rows of new shards whose picture was made before.
        pruned: Rows that were taken out.
        not_taken: Why other runs gave no image, or not all that they have, in sentences.
    """

    dataset: Dataset
    shards_made: int = 0
    rendered: int = 0
    reused: int = 0
    pruned: int = 0
    not_taken: tuple[str, ...] = ()


def generate(
    plan: GenerationPlan,
    address: Address,
    options: GrowthOptions = AS_IT_IS,
    *,
    engine: Engine = HERE,
    progress: str = "auto",
) -> GeneratedRun:
    """Make the images of a plan that was made with weights, or those that are not there yet.

    Args:
        plan: What to make.
        address: The dataset directory.
        options: What may become of images that were made before.
        engine: Who makes them.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ShardError: If rows there are no longer asked for and nobody says that they may go, or the directory is another
            step's.
        MissingExtra: If a library is not installed. Images that cannot be made are rows with the reason.
    """
    growing = grow_data(Location.at(address), STEP, plan.fingerprint)
    finished = sealed_data(Location.at(address), plan.fingerprint, progress=progress)
    if finished is not None and not options.retry and not outcome_of(finished).has_failed:
        remove_kept(Location.at(address))
        return GeneratedRun(finished)
    run = _Run(plan, growing, options, progress)
    layout = run.look()
    if finished is not None and not layout.tasks:
        return GeneratedRun(finished)
    return run.make(layout, engine)


class _Run:
    """A run that has something to do."""

    def __init__(self, plan: GenerationPlan, growing: Growing, options: GrowthOptions, progress: str) -> None:
        self._plan = plan
        self._growing = growing
        self._progress = progress
        self._out = growing.directory.parent
        self._others: OtherRuns = open_others(options, self._out, progress=progress)
        self._growth = growth_of(options, self._others)
        self._found = find_shards(growing, extent="whole", progress=progress)
        self._given_up: Mapping[str, str] = {}

    def look(self) -> Layout:
        """Return what has to be done, if that may be."""
        layout = lay_out(self._plan, self._found, self._growth)
        check_layout(layout, self._out, self._growth)
        return layout

    def make(self, layout: Layout, engine: Engine) -> GeneratedRun:
        """Do it, and seal the dataset."""
        growing, plan = self._growing, self._plan
        growing.begin()
        join_timings(self._out)
        if self._found.lost:  # unless it was only not yet in its place
            layout = self._look_again()
        growing.drop(layout.gone)
        done = plan.rows - sum(len(task.rows) for task in layout.tasks)
        self._given_up = failing_groups(plan, layout, engine=engine, progress=self._progress)
        not_taken = self._others.not_taken(plan, layout)
        facts = (len(layout.tasks), layout.rendered, layout.reused, layout.pruned.total(), not_taken)
        with track("generate", plan.rows, mode=self._progress, unit="images", done=done) as tracker:
            self._write(layout.rewritten, engine, tracker)
            if layout.rewritten:  # what is taken from there lies in other rows by now
                self._growth = self._growth._replace(retry=frozenset())
                layout = self._look_again()
            self._write(layout.added, engine, tracker)
        sealed = seal_data(growing, _facts(plan, self._out), layout.names)
        join_timings(self._out)  # in a store each note is an object of its own until here
        remove_kept(self._out)
        return GeneratedRun(sealed, *facts)

    def _look_again(self) -> Layout:
        lost = self._found.lost
        self._found = find_shards(self._growing, extent="whole", progress="none", lost=lost)
        return self.look()

    def _write(self, tasks: list[ShardTask], engine: Engine, tracker: Tracker) -> None:
        by_name = {task.name: task for task in tasks}
        job = GenerateJob(self._plan, self._growing.directory, self._given_up)
        for made in run_job(job, tasks, engine=engine, report=tracker.advance):
            environments = self._others.environments_of(by_name[made.info.name])
            if made.rendered or environments or not made.replaces:
                append_timing(self._out, made.timing, environments)
            if made.replaces:
                self._growing.replace(made.info)
            else:
                self._growing.commit(made.info)
            remove_kept(self._out, made.kept)


def _facts(plan: GenerationPlan, out: Location) -> dict[str, Any]:
    kinds = {choice.label: choice.kind for choice in plan.config.prompts}
    sets = {
        name: prompt_set_facts(kinds[name], found.source, found.licence, found.sha256)
        for name, found in plan.sets.items()
    }
    return {
        "kind": "generated",
        "name": plan.config.name,
        "licence": plan.config.licence,
        MADE_BY: {
            "config": plan.config.model_dump(mode="json"),
            "models": dict(plan.identities),
            PROMPTS: sets,
            "dropped": [dropped._asdict() for dropped in plan.dropped],
            "refused": [refused._asdict() for refused in plan.refused],
            "environments": read_environments(out),
            "provenance": collect(),
        },
    }
