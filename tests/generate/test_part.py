"""Parts of a plan, made by several at once into one place, give the bytes of one run."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from diptych.data.claims import claimed
from diptych.errors import ShardError
from diptych.generate.growth import STEP
from diptych.generate.part import generate_part
from diptych.generate.plan import GenerationPlan
from diptych.generate.run import generate
from diptych.parts import JobPart, PartOutcome

MakePlan = Callable[..., GenerationPlan]


@pytest.fixture
def plan(plan_of: MakePlan, grey: dict[str, str]) -> GenerationPlan:
    """Three prompts, three samples each, in five shards."""
    return plan_of(models={"paper": grey}, samples=3, rows_per_shard=2)


def do(plan: GenerationPlan, out: Path, number: int, of: int = 3) -> PartOutcome:
    part = JobPart(number, of)
    with claimed(out, STEP, part):
        return generate_part(plan, out, part, progress="none")


def files_of(out: Path) -> dict[str, str]:
    paths = (path for path in sorted(out.rglob("*")) if path.is_file())
    beside = {"timings.jsonl", ".lock"}
    found = {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    return {name: digest for name, digest in found.items() if name not in beside}


def test_parts_at_once_and_a_run_that_finishes_them_give_the_bytes_of_one(plan: GenerationPlan, tmp_path: Path) -> None:
    generate(plan, tmp_path / "one", progress="none")
    with ThreadPoolExecutor(3) as threads:
        done = list(threads.map(lambda number: do(plan, tmp_path / "parts", number), (1, 2)))
    shards = len(list((tmp_path / "one/data").glob("*.parquet")))
    assert sum(outcome.made for outcome in done) == done[0].own + done[1].own
    assert done[0].shards == shards
    assert do(plan, tmp_path / "parts", 1).made == 0
    with claimed(tmp_path / "parts", STEP):
        finished = generate(plan, tmp_path / "parts", progress="none")
    assert finished.shards_made == shards - sum(outcome.made for outcome in done)
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "one")
    assert do(plan, tmp_path / "parts", 1) == PartOutcome(0, done[0].own, shards, shards)


def test_a_dataset_of_another_plan_is_refused(plan: GenerationPlan, plan_of: MakePlan, tmp_path: Path) -> None:
    do(plan, tmp_path / "out", 1)
    other = plan_of(models={"paper": {"backend": "grey", "path_or_id": "paper"}}, samples=4, rows_per_shard=2)
    with pytest.raises(ShardError, match=r"holds what was begun otherwise.*run it without --part first"):
        do(other, tmp_path / "out", 2)
