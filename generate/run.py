"""The run: a plan to a dataset directory, shard by shard; what is finished is not made again.

While a batch is computed, threads encode the one before and write the shard. OUT is a dataset directory of the kind
``generated``; beside it ``timings.jsonl`` says how long each shard took and on what. Nothing that is not the same the
next time stands in the dataset itself, apart from what made it.
"""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from diptych.addresses import Address
from diptych.data.dataset import Dataset
from diptych.data.generated_columns import generated_schema
from diptych.data.growing import grow_data, seal_data, sealed_data
from diptych.data.schema import IMAGE
from diptych.data.shards import ShardInfo, shard_name, write_shard
from diptych.errors import ShardError
from diptych.generate.backends.asked import ImageGroup, PlannedImage
from diptych.generate.pictures import Pixels, encode
from diptych.generate.plan import GenerationPlan
from diptych.generate.renderers import Renderers
from diptych.jobs import run_job
from diptych.jobs.contract import Report
from diptych.progress import track
from diptych.provenance import collect
from diptych.storage.location import Location

STEP = "generate"
TIMINGS = "timings.jsonl"
ENCODERS = 2  # threads
BATCHES_AHEAD = 4  # encoded or to be encoded while the device goes on; beyond that it waits


class Made(NamedTuple):
    """A finished shard, and what is said of it beside the dataset."""

    info: ShardInfo
    timing: dict[str, Any]


@dataclass(frozen=True)
class GenerateJob:
    """Makes the shards of a plan."""

    plan: GenerationPlan
    data: Location

    def open(self, report: Report) -> Callable[[int], Made]:
        """Return the function that makes one shard; models are loaded when a shard needs them."""
        renderer = Renderers(self.plan)
        return lambda shard: self._make(shard, renderer, report)

    def _make(self, shard: int, renderer: Renderers, report: Report) -> Made:
        started, loaded = time.monotonic(), renderer.load_s
        timings: list[dict[str, Any]] = []
        tables: list[Future[pa.Table]] = []
        arrived = threading.Condition()
        room = threading.BoundedSemaphore(BATCHES_AHEAD)
        with (
            ThreadPoolExecutor(ENCODERS, thread_name_prefix="encode") as encoders,
            ThreadPoolExecutor(1, thread_name_prefix="write") as writer,
        ):
            written = writer.submit(
                write_shard, _in_order(tables, arrived, len(self._batches(shard))), self.data / shard_name(shard)
            )
            try:
                for group, rows in self._batches(shard):
                    began, loaded_before = time.monotonic(), renderer.load_s
                    pixels = renderer.render(group, rows)
                    seconds = time.monotonic() - began - (renderer.load_s - loaded_before)
                    _note(timings, group, len(rows), seconds)
                    _acquire(room, written)
                    table = encoders.submit(self._to_table, group, rows, pixels)
                    table.add_done_callback(lambda _: room.release())
                    _append(tables, arrived, table)
                    report(len(rows), Counter("ok" if one is not None else "not_finite" for one in pixels))
            except BaseException as error:  # also Ctrl-C: the writer must not wait for rows that do not come
                failed: Future[pa.Table] = Future()
                failed.set_exception(error)
                _append(tables, arrived, failed)
                raise
            info = written.result()
        timing = {
            "shard": info.name,
            "seconds": round(time.monotonic() - started, 3),
            "load_s": round(renderer.load_s - loaded, 3),
            "settings": timings,
            "environment": renderer.environment,
        }
        return Made(info, timing)

    def _batches(self, shard: int) -> list[tuple[ImageGroup, list[PlannedImage]]]:
        batches = []
        for part in self.plan.parts(shard):
            group = self.plan.groups[part.group]
            rows = list(self.plan.rows(part))
            for first in range(0, len(rows), group.batch_size):
                batches.append((group, rows[first : first + group.batch_size]))
        return batches

    def _to_table(self, group: ImageGroup, rows: list[PlannedImage], pixels: list[Pixels | None]) -> pa.Table:
        return to_table(self.plan, group, rows, pixels)


def generate(
    plan: GenerationPlan, address: Address, *, workers: int = 1, progress: str = "auto"
) -> tuple[Dataset, int]:
    """Make the images of a plan that was made with weights, or go on; return the dataset and how many shards were made.

    Args:
        plan: What to make.
        address: The dataset directory.
        workers: Processes.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ShardError: If the directory was made from another config.
        DiptychError: As the renderer says.
    """
    out = Location.at(address)
    growing = grow_data(out, STEP, plan.fingerprint)
    finished = sealed_data(out, plan.fingerprint)
    if finished is not None:
        return finished, 0
    if growing.made_from not in (None, plan.fingerprint):
        raise ShardError(
            f"{out}: made from another config, other prompts or other weights; "
            f"give another --out, or delete it to begin again"
        )
    growing.begin(progress=progress)
    names = [shard_name(shard) for shard in range(plan.shards)]
    waiting = [shard for shard in range(plan.shards) if growing.finished(names[shard]) is None]
    job = GenerateJob(plan, growing.directory)
    done = sum(info.rows for info in growing.entries.values())
    with track("generate", plan.images, mode=progress, unit="images", done=done) as tracker:
        for made in run_job(job, waiting, workers=workers, report=tracker.advance):
            _append_timing(out / TIMINGS, made.timing)
            growing.commit(made.info)
    return seal_data(growing, _facts(plan, out), names), len(waiting)


def to_table(
    plan: GenerationPlan, group: ImageGroup, rows: list[PlannedImage], pixels: list[Pixels | None]
) -> pa.Table:
    """Return rows of one group as a data table; ``not_finite`` is the status of an image that is no numbers."""
    resolved, form = group.resolved, plan.config.format
    files = [encode(one, form) if one is not None else None for one in pixels]
    prompts = [row.asked.prompt for row in rows]
    keys = [plan.key(group, row) for row in rows]
    columns: dict[str, list[Any]] = {
        "key": keys,
        "caption": [prompt.text for prompt in prompts],
        "url": [None] * len(rows),
        "width": [one.shape[1] if one is not None else None for one in pixels],
        "height": [one.shape[0] if one is not None else None for one in pixels],
        "format": [form if one is not None else None for one in pixels],
        "sha256": [hashlib.sha256(file).hexdigest() if file is not None else None for file in files],
        "status": ["ok" if one is not None else "not_finite" for one in pixels],
        "error": [None if one is not None else "the pipeline gave values that are no numbers" for one in pixels],
        "benchmark": [row.asked.prompt_set for row in rows],
        "prompt_id": [prompt.id for prompt in prompts],
        "category": [prompt.category for prompt in prompts],
        "checks": [prompt.checks.to_json() for prompt in prompts],
        "model": [group.model] * len(rows),
        "setting": [resolved.setting.label] * len(rows),
        "seed": [row.seed for row in rows],
        "sample": [row.sample for row in rows],
        "sampler": [resolved.sampler] * len(rows),
        "steps": [resolved.steps] * len(rows),
        "guidance": [resolved.guidance] * len(rows),
        "negative_prompt": [resolved.negative_of(prompt.negative) for prompt in prompts],
    }
    data = pa.array(files, pa.binary())
    names = pa.array([f"{key}.{form}" for key in keys], pa.string())
    image = pa.StructArray.from_arrays([data, names], fields=list(IMAGE), mask=data.is_null())
    schema, unknown = generated_schema(), [None] * len(rows)  # an axis that these pipelines do not have is null
    arrays = [
        image if field.name == "image" else pa.array(columns.get(field.name, unknown), field.type) for field in schema
    ]
    return pa.table(arrays, schema=schema)


def read_timings(address: Address) -> list[dict[str, Any]]:
    """Return what is noted of each shard, the last note of each; a line that a kill tore is left out."""
    place = Location.at(address) / TIMINGS
    found = {}
    for line in place.read().decode("utf-8", "replace").splitlines() if place.is_file() else []:
        try:
            value = json.loads(line)
            found[value["shard"]] = value
        except (ValueError, TypeError, KeyError):
            continue
    return [found[name] for name in sorted(found)]


def _facts(plan: GenerationPlan, out: Location) -> dict[str, Any]:
    environments = {json.dumps(timing.get("environment"), sort_keys=True) for timing in read_timings(out)}
    sets = {
        name: {"source": found.source, "licence": found.licence, "sha256": found.sha256}
        for name, found in plan.sets.items()
    }
    return {
        "kind": "generated",
        "name": plan.config.name,
        "licence": plan.config.licence,
        "made_by": {
            "config": plan.config.model_dump(mode="json"),
            "models": dict(plan.identities),
            "prompts": sets,
            "dropped": [dropped._asdict() for dropped in plan.dropped],
            "environments": [json.loads(text) for text in sorted(environments)],
            "provenance": collect(),
        },
    }


def _append_timing(place: Location, timing: Mapping[str, Any]) -> None:
    torn = place.is_file() and place.read()[-1:] not in (b"", b"\n")
    place.append((("\n" if torn else "") + json.dumps(timing) + "\n").encode())


def _note(timings: list[dict[str, Any]], group: ImageGroup, images: int, seconds: float) -> None:
    setting = group.resolved.setting.label
    if not timings or (timings[-1]["model"], timings[-1]["setting"]) != (group.model, setting):
        blank = {"model": group.model, "setting": setting, "images": 0, "batches": 0, "batch_size": group.batch_size}
        timings.append({**blank, "seconds": 0.0})
    timings[-1]["images"] += images
    timings[-1]["batches"] += 1
    timings[-1]["seconds"] = round(timings[-1]["seconds"] + seconds, 4)


def _append(tables: list[Future[pa.Table]], arrived: threading.Condition, table: Future[pa.Table]) -> None:
    with arrived:
        tables.append(table)
        arrived.notify()


def _in_order(tables: list[Future[pa.Table]], arrived: threading.Condition, count: int) -> Iterator[pa.Table]:
    """Yield tables in order, waiting for them; none is kept once it was given."""
    for _ in range(count):
        with arrived:
            arrived.wait_for(lambda: bool(tables))
            table = tables.pop(0)
        yield table.result()


def _acquire(room: threading.BoundedSemaphore, written: Future[ShardInfo]) -> None:
    """Wait until a batch may be handed on; a writer that failed ends the shard with its error."""
    while not written.done():
        if room.acquire(timeout=1.0):
            return
    written.result()
