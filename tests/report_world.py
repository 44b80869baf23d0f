"""Small worlds to report on: a pool that was really curated, drawn pictures of two models, and a store about them.

The pictures are drawn scenes; ``rough`` is drawn worse than ``fine`` and gets more wrong, so that there is something to
see. What scores say of them is made up; everything else is evaluated.
"""

import hashlib
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from evaluate_configs import run
from PIL import Image, ImageFilter
from sealed import seal_dataset

from diptych.curate.config import CurateConfig
from diptych.curate.run import STEPS, CurateRunner
from diptych.data.dataset import Dataset
from diptych.data.generated_columns import generated_schema
from diptych.data.shards import shard_name, write_shard
from diptych.demo.world.captions import caption_of, distinct_captions, prompt_of
from diptych.demo.world.drawing import draw
from diptych.demo.world.scenes import Scene, scene
from diptych.reports.config import ReportConfig
from diptych.scores import SCORES, Column, Reads
from diptych.scores.batches import Batch
from diptych.scores.clip_similarity import COLUMNS as CLIP_SIMILARITY
from diptych.scores.object_accuracy import COLUMNS as OBJECT_CORRECT
from diptych.scores.perceived_attribute import COLUMNS as PERCEIVED

MODELS = ("rough", "fine")
SETTINGS = tuple(product(("euler", "ddim"), (10, 25), (3.0, 7.5)))
AUDIT = {"attribute": "hats.attribute", "by": ["model", "hats.attribute_class"], "category": "figure"}


@dataclass(frozen=True)
class Names:
    """The texts of a world, which a test may make hostile."""

    models: tuple[str, ...] = MODELS
    run: str = "two models"
    dataset: str = "generated"
    captions: tuple[str, ...] = ()
    url: str | None = None
    category: str | None = None
    attribute: str = "orange"
    description: str = "Cosine of image and text embedding"
    score: str = "match.clip_similarity"
    metric: str = "match.clip_score"


class World(NamedTuple):
    """A pool, a generated dataset and a store about it."""

    pool: Path
    generated: Dataset
    store: Path

    def config(self, **changes: Any) -> ReportConfig:
        """Return a config that reports on all of it."""
        values = {"job": "report", "title": "Two models", "store": self.store, "pools": (self.pool,)}
        return ReportConfig.model_validate(values | changes)


def encode(pixels: Any, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(buffer, kind, **options)
    return buffer.getvalue()


def make_pool(folder: Path, count: int = 60) -> Path:
    """Curate drawn scenes, some of them spoilt, and return the pool."""
    records = []
    for seed in range(count):
        drawn = scene(seed)
        image = Image.fromarray(draw(drawn, 96 if seed % 9 else 40))
        if seed % 5 == 1:
            image = image.filter(ImageFilter.GaussianBlur(0.5 + seed % 4))
        data = encode(image, "JPEG", quality=90)
        data = b"<html>" if seed % 20 == 13 else data
        caption = "house" if seed % 11 == 5 else caption_of(drawn)
        records.append({"image": {"bytes": data, "path": f"{seed}.jpg"}, "caption": caption})
        if seed % 12 == 3:
            records.append({"image": {"bytes": encode(image, "JPEG", quality=55), "path": None}, "caption": caption})
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(records), folder / "source.parquet")
    config = CurateConfig.model_validate(
        {
            "job": "curate",
            "name": "pairs",
            "source": {"kind": "parquet", "path": str(folder / "source.parquet")},
            "rows_per_shard": 40,
            "scores": {
                "image": {"score": "image_stats"},
                "text": {"score": "caption_stats"},
                "hashes": {"score": "hashes"},
            },
            "dedup": {"perceptual": "hashes.phash_imagehash"},
            "select": [
                {"name": "large_enough", "where": "least(data.width, data.height) >= 60"},
                {"name": "sharp", "where": "image.sharpness >= 60"},
                {"name": "not_noisy", "where": "image.sharpness < 5000"},
                {"name": "has_words", "where": "text.caption_words >= 2 AND NOT text.caption_is_filename"},
                {"name": "no_boat", "where": "NOT contains(lower(caption), 'boat')"},
            ],
        }
    )
    runner = CurateRunner(config, folder / "run", progress="none")
    for name in STEPS:
        runner.run(name)
    return folder / "run" / "pool"


def prompts(count: int) -> list[tuple[Scene, str]]:
    """Return scenes and their prompts, all layouts in turn."""
    layouts = ("single", "count", "pair", "relation", "figure")
    found = {
        layout: distinct_captions(max(1, math.ceil(count / 5)), start=40, words=prompt_of, layout=layout)  # type: ignore[arg-type]
        if layout != "figure"
        else distinct_captions(min(8, max(1, math.ceil(count / 5))), start=40, words=prompt_of, layout="figure")
        for layout in layouts
    }
    turns = [
        found[layout][turn] for turn in range(math.ceil(count / 5)) for layout in layouts if turn < len(found[layout])
    ]
    return [(each.scene, each.caption) for each in turns[:count]]


def render(drawn: Scene, model: int, steps: int, seed: int, size: int) -> bytes:
    """Draw what a model makes of a scene: the first one is rough, few steps are blurred."""
    dice = np.random.default_rng([seed, model, steps])
    backdrop = scene(10_000 + seed)
    wanted = replace(drawn, background=backdrop.background, style=backdrop.style, horizon=backdrop.horizon)
    if model == 0 and dice.random() < 0.45:
        wanted = scene(seed + 77, layout=drawn.layout)
    image = Image.fromarray(draw(wanted, size))
    blur = (0.9 if model == 0 else 0.2) * (25 / steps) ** 0.6 * size / 96
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(blur)), np.float32)
    pixels += dice.normal(0, 9 if model == 0 else 2, pixels.shape)
    return encode(pixels.clip(0, 255), "WEBP", lossless=True)


def make_generated(folder: Path, count: int = 12, *, size: int = 96, names: Names = Names()) -> Dataset:
    """Write pictures of every model, setting and prompt as a dataset directory of kind generated."""
    rows = []
    for (number, (drawn, text)), model, (sampler, steps, guidance) in product(
        enumerate(prompts(count)), range(2), SETTINGS
    ):
        setting = f"{sampler}-{steps}-g{guidance:g}"
        data = render(drawn, model, steps, 500 + number, size)
        caption = names.captions[number % len(names.captions)] if names.captions else text
        rows.append(
            {
                "key": hashlib.sha256(f"{number}/{model}/{setting}".encode()).hexdigest()[:32],
                "image": {"bytes": data, "path": None},
                "caption": caption,
                "url": names.url,
                "width": size,
                "height": size,
                "format": "webp",
                "sha256": hashlib.sha256(data).hexdigest(),
                "status": "ok",
                "benchmark": "drawn",
                "prompt_id": f"{number:04d}",
                "category": [names.category or drawn.layout],
                "checks": "",
                "model": names.models[model],
                "setting": setting,
                "seed": 2**61 + number,
                "sample": 0,
                "sampler": sampler,
                "steps": steps,
                "guidance": guidance,
                "negative_prompt": None,
            }
        )
    table = pa.Table.from_pylist(rows, schema=generated_schema())
    infos = [
        write_shard(table.slice(start, 100), folder / "data" / shard_name(index))
        for index, start in enumerate(range(0, len(rows), 100))
    ]
    return seal_dataset(folder, infos, {"kind": "generated", "name": "drawn", "licence": "", "made_by": {}})


def evaluate_world(folder: Path, generated: Dataset, pool: Path) -> Path:
    """Evaluate drawn pictures, with the pool as reference, and return the store; what scores say of each is made up."""
    rows = list(read_rows(generated))
    clip, correct, hats = made_up(rows, Names())
    for number, row in enumerate(rows):
        similarity = None if number % 41 == 40 else float(clip[number])
        seen = {"attribute": hats[number], "attribute_class": row["caption"] if hats[number] else None}
        SAID[row["key"]] = {"clip_similarity": similarity, "object_correct": float(correct[number]), **seen}
    config = {
        "job": "evaluate",
        "name": "two-models",
        "store": str(folder / "store.duckdb"),
        "datasets": {
            "generated": {"path": str(generated.path)},
            "pairs": {"path": str(pool), "role": "reference"},
        },
        "encoders": {"p": {"kind": "projection", "options": {"dim": 4}}},
        "scores": {"match": {"score": "clip_similarity"}, "objects": {"score": "object_accuracy"}}
        | {"hats": {"score": "perceived_attribute"}},
        "means": [
            *({"score": "object_correct", "by": by} for by in (["model"], ["model", "setting"])),
            *(
                {"score": "clip_similarity", "by": by}
                for by in (["model"], ["model", "setting"], ["model", "category"])
            ),
        ],
        "distances": [{"metric": "frechet_distance", "encoder": "p", "reference": "pairs", "by": ["model"]}],
        "compare": {"by": "model", "baseline": MODELS[0]},
        "audit": {**AUDIT, "values": ["orange", "purple"], "reference": {"orange": 0.5, "purple": 0.5}},
    }
    with pytest.MonkeyPatch.context() as patch:
        for score in SAYS:
            patch.setitem(SCORES, score, f"report_world:says_{score}")
        run(config)
    return folder / "store.duckdb"


@dataclass(frozen=True)
class Says:
    """A score whose values are those that are told in ``SAID``, with the columns of one of the product."""

    name: str
    columns: tuple[Column, ...]
    missing: str
    version: int = 1
    reads: frozenset[Reads] = frozenset({"caption"})

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"score": self.name, "version": self.version}

    def score(self, batch: Batch) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for column in self.columns:
            values = [SAID[key][column.name] for key in batch.keys]
            is_text = column.dtype == "string"
            found[column.name] = np.array(values, object) if is_text else np.array(values, np.float32)
        return {**found, "reason": np.array([self.missing] * len(batch.keys), object)}


SAID: dict[str, dict[str, Any]] = {}
SAYS: Mapping[str, Says] = {
    "clip_similarity": Says("clip_similarity", CLIP_SIMILARITY[:1], "no_caption"),
    "object_accuracy": Says("object_accuracy", OBJECT_CORRECT[:1], "no_checks"),
    "perceived_attribute": Says("perceived_attribute", PERCEIVED[::2], "none_detected"),
}


def says_clip_similarity() -> Says:
    return SAYS["clip_similarity"]


def says_object_accuracy() -> Says:
    return SAYS["object_accuracy"]


def says_perceived_attribute() -> Says:
    return SAYS["perceived_attribute"]


def made_up(rows: Sequence[Mapping[str, Any]], names: Names) -> tuple[Any, Any, list[str | None]]:
    """Return the similarity of each row, whether it is right, and the colour of the hat that is seen, None for none."""
    dice = np.random.default_rng(7)
    is_fine = np.asarray([row["model"] == names.models[-1] for row in rows])
    clip = (0.24 + 0.032 * is_fine + dice.normal(0, 0.022, len(rows))).astype(np.float32)
    correct = (dice.random(len(rows)) < np.where(is_fine, 0.86, 0.45)).astype(np.float32)
    figures = [row["category"] == ["figure"] for row in rows]
    hats = [
        (names.attribute if dice.random() < (0.55 if row["model"] == names.models[-1] else 0.85) else "purple")
        if figure
        else None
        for row, figure in zip(rows, figures, strict=True)
    ]
    return clip, correct, hats


def read_rows(dataset: Dataset) -> Iterator[dict[str, Any]]:
    """Yield the rows without pictures, with where they lie."""
    for shard, file in zip(dataset.shards, dataset.files, strict=True):
        table = pq.read_table(file)
        for number, row in enumerate(table.drop_columns(["image", "format", "error", "input_images"]).to_pylist()):
            yield {**row, "shard": shard.name, "shard_row": number}
