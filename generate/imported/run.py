"""The import: a folder of images made elsewhere to a dataset directory, shard by shard; killed, it goes on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pyarrow as pa

from diptych.addresses import Address
from diptych.config.identity import fingerprint
from diptych.data.dataset import Dataset
from diptych.data.growing import grow_data, seal_data, sealed_data
from diptych.data.prompt_sets import MADE_BY, PROMPTS
from diptych.generate.growth import find_shards
from diptych.generate.imported.asked_images import (
    ChosenSet,
    asked_of_places,
    asked_of_set,
    chosen_set,
    texts_note,
    told_sets,
)
from diptych.generate.imported.config import ImportConfig
from diptych.generate.imported.coverage import COVERAGE, Coverage, coverage_facts, coverage_of
from diptych.generate.imported.finding import find_images
from diptych.generate.imported.found_images import FoundImage, SourceFolder
from diptych.generate.imported.identified_images import IdentifiedImage
from diptych.generate.imported.layouts import ChosenLayout
from diptych.generate.imported.looking import LookedFile, look_at_files
from diptych.generate.imported.placing import PlacedImages, place_images
from diptych.generate.imported.rows import (
    TOOL,
    TOOL_PROBLEM,
    TOOL_PROMPT,
    ImportedRow,
    import_schema,
    keyed,
    rows_digest,
)
from diptych.generate.imported.shard_job import ImportJob
from diptych.generate.imported.shards import check_nothing_is_lost, lay_out_shards
from diptych.jobs import run_job
from diptych.jobs.engine import HERE, Engine
from diptych.progress import track
from diptych.provenance import collect
from diptych.storage.json_objects import write_json
from diptych.storage.location import Location

STEP = "import"
IMPORT = "import"  # in what the manifest says: the config
UNREAD = "not read"  # among the programs: images of which nothing that is said can be read
VERSION = 3  # of what rows of one source and config say


class ImportRun(NamedTuple):
    """What an import leaves.

    Attributes:
        dataset: The dataset.
        coverage: What is there, and what is wrong with it.
        facts: What the manifest and the coverage file say of how images were found.
        shards_made: Shards that were written.
    """

    dataset: Dataset
    coverage: Coverage
    facts: Mapping[str, Any]
    shards_made: int = 0


class PlannedImport(NamedTuple):
    """An import that was thought out: source, rows with their schema, how they were found, and sets of prompts."""

    source: SourceFolder
    rows: Sequence[ImportedRow]
    schema: pa.Schema
    facts: Mapping[str, Any]
    sets: Mapping[str, Any]
    grid: tuple[int, int]

    @property
    def fingerprint(self) -> str:
        """Of everything that decides the rows."""
        return fingerprint([VERSION, rows_digest(self.rows), self.schema.to_string(), self.facts])


def import_images(
    config: ImportConfig, address: Address, *, engine: Engine = HERE, progress: str = "auto"
) -> ImportRun:
    """Make the dataset of a folder of images, or what is not there of it yet.

    Raises:
        DiptychError: If the source or the prompt set cannot be read.
        ShardError: If pictures of the directory are no longer in the source, or it is another step's.
    """
    planned = plan_import(config, progress=progress)
    location = Location.at(address)
    growing = grow_data(location, STEP, planned.fingerprint)
    finished = sealed_data(location, planned.fingerprint, progress=progress)
    if finished is not None:
        return _covered(finished, config, planned, 0)
    there = find_shards(growing, extent="whole", progress=progress).sound
    former = growing.facts.get(MADE_BY, {}).get(IMPORT, {}).get("source")
    check_nothing_is_lost(planned.rows, there, location, source=str(config.source), former=former)
    growing.begin()
    there = tuple(shard for shard in there if shard.info.name in growing.entries)
    shards = lay_out_shards(planned.rows, there, config.rows_per_shard)
    growing.drop(shards.gone)
    job = ImportJob(replace(planned.source, names=()), growing.directory, planned.schema, planned.grid)
    done = len(planned.rows) - sum(len(task.rows) for task in shards.tasks)
    with track("import", len(planned.rows), mode=progress, unit="images", done=done) as tracker:
        for made in run_job(job, shards.tasks, engine=engine, report=tracker.advance):
            (growing.replace if made.replaces else growing.commit)(made.info)
    sealed = seal_data(growing, _manifest(config, planned), shards.names)
    return _covered(sealed, config, planned, len(shards.tasks))


def plan_import(config: ImportConfig, *, progress: str) -> PlannedImport:
    """Find out which rows an import has, without writing anything.

    Raises:
        DiptychError: If the source or the prompt set cannot be read.
    """
    chosen = chosen_set(config)
    source, layout, found = find_images(config)
    images = _identified(source, found, progress)
    placed = _placed(config, (source, layout), images, chosen)
    grid = layout.layout.grid
    schema = import_schema(chosen.columns if chosen is not None else {}, config.carry, tiles=grid != (1, 1))
    sets = chosen.facts if chosen is not None else told_sets(placed.prompts)
    return PlannedImport(source, keyed(placed.rows), schema, _facts(layout, source, placed, chosen), sets, grid)


def _identified(source: SourceFolder, found: Sequence[FoundImage], progress: str) -> list[IdentifiedImage]:
    looked = look_at_files(source, list(dict.fromkeys(image.file for image in found)), progress=progress)
    return [_identified_image(image, looked[image.file]) for image in found]


def _identified_image(found: FoundImage, looked: LookedFile) -> IdentifiedImage:
    tool, says = looked.tool, looked.tool.says
    own = {TOOL: tool.tool, TOOL_PROMPT: says.prompt, TOOL_PROBLEM: tool.problem}
    return IdentifiedImage(found, looked.sha256, looked.problem, {**says.facts, **own}, says.prompt or None)


def _placed(
    config: ImportConfig,
    where: tuple[SourceFolder, ChosenLayout],
    images: list[IdentifiedImage],
    chosen: ChosenSet | None,
) -> PlacedImages:
    if chosen is not None:
        return place_images(images, asked_of_set(config, chosen))
    asked, images = asked_of_places(config, *where, images)
    placed = place_images(images, asked)
    return placed._replace(notes=tuple(filter(None, (*placed.notes, texts_note(asked.prompts)))), prompts=asked.prompts)


def _facts(
    layout: ChosenLayout, source: SourceFolder, placed: PlacedImages, chosen: ChosenSet | None
) -> dict[str, Any]:
    return {
        "layout": layout.name,
        "why": layout.why,
        "unused_columns": dict(layout.unused),
        "notes": [*layout.notes, *(chosen.source.notes if chosen is not None else ()), *placed.notes],
        "files": len(source.pictures),
        "found_by": dict(sorted(placed.found_by.items())),
        "tools": dict(sorted(_tools(placed).items())),
        "samples": [
            {"model": model, "setting": setting, "samples": many} for (model, setting), many in placed.samples.items()
        ],
    }


def _tools(placed: PlacedImages) -> Counter[str]:
    """Return how many images each program made, and of how many it cannot be read."""
    said = [row.image.said for row in placed.rows if row.image is not None]
    return Counter(_program(one) for one in said if any(value is not None for value in one.values()))


def _program(said: Mapping[str, Any]) -> str:
    is_unread = said[TOOL_PROBLEM] is not None and said.keys() == {TOOL, TOOL_PROMPT, TOOL_PROBLEM}
    return UNREAD if is_unread else str(said[TOOL])


def _manifest(config: ImportConfig, planned: PlannedImport) -> dict[str, Any]:
    return {
        "kind": "generated",
        "name": config.name,
        "licence": config.licence,
        MADE_BY: {
            IMPORT: config.model_dump(mode="json"),
            "found": dict(planned.facts),
            PROMPTS: planned.sets,
            "provenance": collect(),
        },
    }


def _covered(dataset: Dataset, config: ImportConfig, planned: PlannedImport, shards_made: int) -> ImportRun:
    """Count what came of it, and write that beside the dataset."""
    coverage = coverage_of(dataset, config.size)
    write_json(dataset.location / COVERAGE, {**planned.facts, **coverage_facts(coverage)})
    return ImportRun(dataset, coverage, planned.facts, shards_made)
