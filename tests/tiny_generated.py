"""Tiny dataset directories of the kind ``generated``, row by row, for tests of what judges them."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from drawn import picture
from sealed import seal_dataset

from diptych.data.dataset import Dataset
from diptych.data.generated_columns import generated_schema
from diptych.data.prompt_sets import PROMPTS, prompt_set_facts
from diptych.data.shards import shard_name, write_shard


@dataclasses.dataclass(frozen=True)
class Made:
    """One generated image; ``picture`` is the seed of its drawing, None where generation failed."""

    model: str
    prompt: int
    sample: int = 0
    setting: str = "euler-25-g5"
    category: str | tuple[str, ...] = "single_object"
    checks: Mapping[str, Any] | None = None
    caption: str | None = None
    picture: int | None = 0
    benchmark: str = "demo"
    guidance: float = 5.0

    @property
    def key(self) -> str:
        """Hex id of everything that decides the pixels."""
        return hashlib.sha256(repr(dataclasses.astuple(self)).encode()).hexdigest()[:32]


def made_grid(
    models: Sequence[str] = ("curated", "raw"), prompts: int = 5, samples: int = 2, settings: Sequence[str] = ("s1",)
) -> list[Made]:
    """Return every model x setting x prompt x sample, each with a picture of its own."""
    grid = [
        (model, setting, prompt, sample)
        for model in models
        for setting in settings
        for prompt in range(prompts)
        for sample in range(samples)
    ]
    return [
        Made(model, prompt, sample, setting, category=("single_object", "counting")[prompt % 2], picture=number)
        for number, (model, setting, prompt, sample) in enumerate(grid)
    ]


def make_generated(
    path: Path,
    rows: Sequence[Made],
    *,
    rows_per_shard: int = 7,
    kinds: Mapping[str, str] | None = None,
    carried: Mapping[str, str] | None = None,
    states: Mapping[int, str] | None = None,
) -> Dataset:
    """Write the rows as a dataset directory of the kind ``generated`` and open it.

    Args:
        path: Of the directory.
        rows: The images.
        rows_per_shard: Of them.
        kinds: Of the prompt sets, by label.
        carried: Further columns of the prompts, each with the text that it has in every row.
        states: The status of rows, by their numbers, that is not what their picture tells.
    """
    more = dict(carried or {})
    schema = generated_schema()
    for name in more:
        schema = schema.append(pa.field(name, pa.string()))
    records = [{**_record(row), **more} for row in rows]
    for number, state in (states or {}).items():
        records[number]["status"] = state
    infos = [
        write_shard(
            pa.Table.from_pylist(records[start : start + rows_per_shard], schema=schema),
            path / "data" / shard_name(index),
        )
        for index, start in enumerate(range(0, len(rows), rows_per_shard))
    ]
    sets = {label: prompt_set_facts(kind, "nowhere", "", "0" * 64) for label, kind in (kinds or {}).items()}
    made_by = {PROMPTS: sets} if sets else {}
    return seal_dataset(path, infos, {"kind": "generated", "name": "tiny", "licence": "", "made_by": made_by})


def prompt_name(number: int) -> str | None:
    """Return the id of a prompt where it is not its number; a test may put names here."""
    return None


def _record(row: Made) -> dict[str, Any]:
    data = None if row.picture is None else picture(row.picture, kind="PNG")
    return {
        "key": row.key,
        "image": None if data is None else {"bytes": data, "path": f"{row.key}.png"},
        "caption": row.caption if row.caption is not None else f"blobs number {row.prompt}",
        "width": 48 if data else None,
        "height": 32 if data else None,
        "format": "png" if data else None,
        "sha256": hashlib.sha256(data).hexdigest() if data else None,
        "status": "ok" if data else "out_of_memory",
        "benchmark": row.benchmark,
        "prompt_id": prompt_name(row.prompt) or f"{row.prompt:05d}",
        "category": [name for name in ([row.category] if isinstance(row.category, str) else row.category) if name],
        "checks": "" if row.checks is None else json.dumps(row.checks),
        "model": row.model,
        "setting": row.setting,
        "seed": row.prompt * 1000 + row.sample,
        "sample": row.sample,
        "sampler": row.setting.partition("-")[0],
        "steps": 25,
        "guidance": row.guidance,
        "negative_prompt": None,
    }
