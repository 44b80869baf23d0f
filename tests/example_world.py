"""What the reader of the documents has: pictures, prompts, a table of URLs; and drawn datasets for what is downloaded.

The names are those that the documents use.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from drawn import picture
from evaluate_configs import run as run_evaluation
from tiny_generated import made_grid, make_generated

from diptych.curate.config import CurateConfig
from diptych.curate.run import STEPS, CurateRunner
from diptych.demo.world.captions import distinct_captions, prompt_of
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import encoded
from diptych.demo.world.scenes import Layout, scene
from diptych.generate.prompts.demo import checks_of

CLIP = {"clip": {"kind": "open_clip", "options": {"architecture": "package:diptych.demo/models/clip"}}}
# Scores of the columns that LAION's heads have, for pictures that are none of theirs.
SCORES = """
from dataclasses import dataclass

import numpy as np

from diptych.scores import Column


@dataclass(frozen=True)
class Stand:
    column: str
    low: float
    high: float
    reads = frozenset({"pixels"})

    @property
    def columns(self):
        return (Column(self.column, "A stand-in", low=self.low, high=self.high),)

    @property
    def identity(self):
        return {"score": "stand-in", "version": 1, "column": self.column}

    def score(self, batch):
        means = [np.nan if image is None else float(np.asarray(image).mean()) / 255 for image in batch.images()]
        return {self.column: (self.low + np.array(means) * (self.high - self.low)).astype(np.float32)}


def stand(*, column: str, low: float, high: float):
    return Stand(column, low, high)
"""


def furnish(folder: Path, root: Path) -> None:
    """Put into a folder what the documents take for granted."""
    (folder / "configs").symlink_to(root / "configs")
    for name, first in (("photographs", 0), ("pictures", 100), ("val2017", 200), ("jpeg", 300), ("original", 300)):
        draw_photographs(folder / name, first)
    (folder / "val2014").symlink_to("val2017")
    draw_coco(folder)
    draw_made_elsewhere(folder / "made_elsewhere")
    draw_geneval(folder / "sdxl")
    rows = [{"URL": f"http://127.0.0.1:9/{row}.jpg", "TEXT": f"a picture of blobs {row}"} for row in range(12)]
    for name in ("urls.parquet", "laion.parquet"):
        pq.write_table(pa.Table.from_pylist(rows), folder / name)


def draw_photographs(folder: Path, first: int) -> None:
    """Draw twelve photographs with captions beside them, two of them copies and one of them small."""
    folder.mkdir()
    for row in range(12):
        size = (96, 64) if row == 3 else (768, 576)
        (folder / f"{row:02d}.jpg").write_bytes(picture(first + row % 10, size, quality=90 - row // 10))
        (folder / f"{row:02d}.txt").write_text(f"blobs, number {row}\n")


def draw_coco(folder: Path) -> None:
    """Draw an image of each of twelve pictures of COCO, and write five captions of each."""
    (folder / "sd15").mkdir()
    numbers = range(391, 391 + 84, 7)
    told = [
        {"image_id": number, "id": 10 * number + place, "caption": f"{prompt_of(scene(number))}, told {place}"}
        for number in numbers
        for place in range(5)
    ]
    (folder / "captions_val2014.json").write_text(json.dumps({"annotations": told}))
    for number in numbers:
        (folder / "sd15" / f"{number}.png").write_bytes(encoded(draw(scene(number), 64), "png", 0))


def draw_made_elsewhere(folder: Path) -> None:
    """Draw what two other programs made of twelve prompts, two images each; the first often draws something else."""
    told = []
    for number, model in enumerate(("first", "second")):
        (folder / model).mkdir(parents=True)
        for prompt in range(12):
            asked = scene(prompt)
            for sample in range(2):
                name = f"{model}/{prompt}-{sample}.png"
                shown = scene(100 + prompt) if number == 0 and (prompt + sample) % 3 else asked
                grain = np.random.default_rng([number, prompt, sample]).integers(0, 8, (64, 64, 3), np.uint8)
                (folder / name).write_bytes(encoded(np.minimum(draw(shown, 64), 247) + grain, "png", 0))
                known = {"prompt": prompt_of(asked), "model": model, "prompt_id": str(prompt), "sample": sample}
                told.append({"file_name": name, **known})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))


def draw_geneval(folder: Path) -> None:
    """Draw two images of each of 24 prompts in GenEval's layout, four of each of its tags; some show something else."""
    tags: dict[str, Layout] = {
        "single_object": "single",
        "colors": "single",
        "counting": "count",
        "position": "relation",
    }
    tags |= {"two_object": "pair", "color_attr": "pair"}
    for place, (tag, layout) in enumerate(tags.items()):
        found = distinct_captions(4, start=5_000 + 500 * place, words=prompt_of, layout=layout)
        for number, (asked, prompt) in enumerate(found, start=4 * place):
            own = folder / f"{number:05d}"
            (own / "samples").mkdir(parents=True)
            told = {"tag": tag, "prompt": prompt, **checks_of(asked).to_object()}
            (own / "metadata.jsonl").write_text(json.dumps(told) + "\n")
            for sample in range(2):
                shown = scene(9_000 + number, layout=layout) if (number + sample) % 4 == 0 else asked
                grain = np.random.default_rng([number, sample]).integers(0, 8, (64, 64, 3), np.uint8)
                data = encoded(np.minimum(draw(shown, 64), 247) + grain, "png", 0)
                (own / "samples" / f"{sample:05d}.png").write_bytes(data)


def curated(out: Path) -> None:
    """Make a run of curation with the labels and columns of README's."""
    Path("stand_ins.py").write_text(SCORES)
    scores = {
        "image": {"score": "image_stats"},
        "hashes": {"score": "hashes"},
        "similarity": {"score": "clip_similarity", "encoder": "clip"},
        "clip_similarity": {"score": "clip_similarity", "encoder": "clip"},
        "b32": {"score": "clip_similarity", "encoder": "clip"},
        "aesthetic": {"score": "stand_ins.py:stand", "options": {"column": "aesthetic_v2", "low": 3, "high": 8}},
        "safety": {"score": "stand_ins.py:stand", "options": {"column": "punsafe", "low": 0, "high": 1}},
    }
    source = {"kind": "folder", "path": "pictures"}
    select = [{"name": "bright", "where": "entropy > 1"}]
    config = {"job": "curate", "name": "laion-aesthetic", "source": source, "encoders": CLIP, "scores": scores}
    runner = CurateRunner(CurateConfig.model_validate({**config, "select": select}), out, progress="none")
    with runner.alone():
        for step in STEPS:
            runner.run(step)


def generated(out: Path) -> None:
    """Make a run of generation with the labels of README's."""
    make_generated(out, made_grid(("sdxl", "flux-dev"), 6, 2, ("euler-50-g5",)))


def judged(out: Path) -> None:
    """Make a store about what lies in the folder: images made elsewhere, or those of a run."""
    elsewhere, run = Path("runs/made_elsewhere"), Path("runs/geneval")
    if not elsewhere.exists() and not run.exists():
        generated(run)
    path = elsewhere if elsewhere.exists() else run
    config = yaml.safe_load(Path("configs/evaluate/two_models.yaml").read_text())
    scores = {"similarity": config["scores"]["match"]}
    means = [{"score": "similarity.clip_similarity", "by": ["model"]}]
    datasets = {"images": {"path": str(path)}}
    changed = {"store": str(out), "datasets": datasets, "encoders": CLIP, "scores": scores, "means": means}
    run_evaluation({**config, **changed})


# By the place that a command makes which needs a download.
STAND_INS: dict[str, Callable[[Path], None]] = {
    "runs/coco": curated,
    "runs/geneval": generated,
    "runs/geneval.duckdb": judged,
    "runs/images": generated,
    "runs/laion": curated,
    "runs/results.duckdb": judged,
}
