"""Answers per second where a rule is run again over 100,000 stored ones, and where a judge answers the questions anew.

The judge is the vision-language model of ``bench_answers``: random weights, the shape of a small real one in little.
It judges a few pictures; of the many the answers lie beside the dataset as it would have left them, and three rules are
run over them, each from the files to a finished column set. That nobody is asked for it is asserted, and so are the
numbers; the time is not. Run by ``make bench``.

    python tests/benchmarks/bench_rules.py [ROWS [PICTURES]]
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import torch
from bench_answers import SIDE, model
from benchmark_data import photograph

from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing import grow_data, seal_data
from diptych.data.growing_sets import GrowingSet
from diptych.data.schema import data_schema
from diptych.data.shards import read_shard, shard_name, write_shard
from diptych.judges.answers.vision_language import VisionLanguage
from diptych.judges.contract import Answer
from diptych.judges.evidence import ANSWERS, Seen, evidence_table
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset
from diptych.storage.location import Location

ROWS, PICTURES = 12_500, 16
QUESTIONS = 8  # about each picture, the second half of which hang on the first
ROWS_PER_SHARD = 2_500
RULES = ("none", "parents", "ancestors")
SHARE = 0.7  # of yes


def asked() -> str:
    """Return the checks of every row."""
    half = QUESTIONS // 2
    questions = [
        {"id": str(number), "question": f"Is there thing {number}?", "parents": [str(number - half)]}
        if number >= half
        else {"id": str(number), "question": f"Is there thing {number}?"}
        for number in range(QUESTIONS)
    ]
    return json.dumps({"questions": questions})


def make(folder: Path, rows: int, *, has_pictures: bool) -> Dataset:
    """Write a dataset whose rows all ask the same; where no pictures are wanted, bytes that nobody opens."""
    body = photograph(0, SIDE) if has_pictures else b"unseen"
    data = grow_data(Location.at(folder), "bench", "0" * 64)
    data.begin()
    schema = data_schema([pa.field("checks", pa.string())])
    record = {"image": {"bytes": body, "path": None}, "width": SIDE, "height": SIDE, "status": "ok", "checks": asked()}
    for start in range(0, rows, ROWS_PER_SHARD):
        numbers = range(start, min(start + ROWS_PER_SHARD, rows))
        table = pa.Table.from_pylist([{**record, "key": f"{row:09d}"} for row in numbers], schema=schema)
        data.commit(write_shard(table, data.directory / shard_name(start // ROWS_PER_SHARD)))
    return seal_data(data, {"kind": "pairs", "name": "bench", "licence": ""}, list(data.entries))


def plan(weights: Path, reach: str) -> ScorePlan:
    """Return one rule over the judge."""
    limits = {"min_pixels": SIDE**2, "max_pixels": SIDE**2}
    judge = ("vision_language", {"weights": str(weights), "limits": limits, "device": "cpu"})
    return ScorePlan({}, {reach: ("question_accuracy", {"judge": "vlm", "reach": reach})}, judges={"vlm": judge})


def store_answers(dataset: Dataset, weights: Path) -> None:
    """Write what the judge could have answered, seven of ten yes."""
    (look,) = plan(weights, RULES[0]).build().looks.values()
    growing = GrowingSet(dataset, "evidence", look.name, look.identity)
    growing.begin()
    rng = np.random.default_rng(0)
    for shard, file in zip(dataset.shards, dataset.files, strict=True):
        keys = read_shard(file, ["key"])["key"].to_pylist()
        answers = [[_answer(number, rng.random()) for number in range(QUESTIONS)] for _ in keys]
        table = evidence_table(ANSWERS, keys, Seen(answers, [None] * len(keys)))
        growing.commit(write_shard(table, growing.location / shard.name, source=shard.sha256))
    growing.seal({"judge": "vision_language", "kind": ANSWERS.name})


def _answer(number: int, drawn: float) -> Answer:
    probabilities = (0.75, 0.25) if drawn < SHARE else (0.25, 0.75)
    text = "yes" if drawn < SHARE else "no"
    return Answer(f"Is there thing {number}?", ("yes", "no"), probabilities, text)


def timed(path: Path, what: ScorePlan) -> tuple[float, float]:
    """Return seconds, and the mean of the score."""
    started = time.perf_counter()
    (made,) = score_dataset(path, what, threads=1, progress="none").sets.values()
    seconds = time.perf_counter() - started
    values = [read_shard(file, ["question_accuracy"])["question_accuracy"].to_numpy() for file in made.files]
    return seconds, float(np.concatenate(values).mean())


def rerun(path: Path, weights: Path) -> list[float]:
    """Return the seconds of each rule over the stored answers; nobody is asked."""
    refuse: Any = mock.Mock(side_effect=AssertionError("the judge was asked again"))
    found = {}
    with mock.patch.object(VisionLanguage, "answers", refuse):
        for reach in RULES:
            found[reach] = timed(path, plan(weights, reach))
    expected = {"none": SHARE, "parents": SHARE * (1 + SHARE) / 2, "ancestors": SHARE * (1 + SHARE) / 2}
    for reach, (_, mean) in found.items():
        assert abs(mean - expected[reach]) < 0.02, (reach, mean)
    return [seconds for seconds, _ in found.values()]


def main() -> None:
    """Print both speeds, and how many times one is the other."""
    rows, pictures = (int(given) for given in (*sys.argv[1:], *(ROWS, PICTURES)[len(sys.argv) - 1 :]))
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = model(folder / "weights")
        make(folder / "few", pictures, has_pictures=True)
        judged = pictures * QUESTIONS / timed(folder / "few", plan(weights, RULES[0]))[0]
        store_answers(make(folder / "many", rows, has_pictures=False), weights)
        seconds = rerun(folder / "many", weights)
        assert len(open_dataset(folder / "many").column_sets("scores")) == len(RULES)
    again = rows * QUESTIONS / statistics.median(seconds)
    print(f"{rows * QUESTIONS:,} stored answers of {rows:,} pictures, one thread, median of {len(RULES)} rules:")
    print(f"  rule run again: {statistics.median(seconds):.1f} s, {again:,.0f} answers per second")
    print(f"  judged again:   {judged:,.1f} answers per second, of {pictures} pictures with {QUESTIONS} questions each")
    print(f"  {again / judged:,.0f} times as many")


if __name__ == "__main__":
    main()
