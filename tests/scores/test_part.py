"""Parts of a dataset, scored by several at once beside its data, give the bytes of one run."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tiny_dataset import good_rows, make_dataset

from diptych.data.dataset import open_dataset
from diptych.data.labels import labelled_sets
from diptych.parts import JobPart, PartOutcome
from diptych.scores.part import score_part
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

PLAN = ScorePlan({}, {"stats": ("image_stats", {}), "words": ("caption_stats", {})})


def files_of(pool: Path) -> dict[str, str]:
    paths = (path for path in sorted((pool / "scores").rglob("*")) if path.is_file())
    return {str(path.relative_to(pool)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_parts_at_once_and_a_run_that_finishes_them_give_the_bytes_of_one(tmp_path: Path) -> None:
    one, parts = (make_dataset(tmp_path / name, good_rows(7), rows_per_shard=1).path for name in ("one", "parts"))
    score_dataset(one, PLAN, progress="none")

    def do(number: int) -> PartOutcome:
        return score_part(parts, PLAN, JobPart(number, 3), progress="none")

    with ThreadPoolExecutor(3) as threads:
        done = list(threads.map(do, (1, 2)))
    assert [(outcome.made, outcome.own, outcome.shards) for outcome in done] == [(3, 3, 7), (2, 2, 7)]
    assert labelled_sets(open_dataset(parts)) == {}
    assert do(1) == PartOutcome(made=0, own=3, finished=5, shards=7)
    assert score_dataset(parts, PLAN, progress="none").shards_done == 2
    assert files_of(parts) == files_of(one)
    assert do(2) == PartOutcome(made=0, own=2, finished=7, shards=7)
