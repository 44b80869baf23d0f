"""Parts of a plan, made by several at once into one place, give the bytes of one run."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from diptych.data.claims import claimed
from diptych.data.timings import TIMINGS, read_timings
from diptych.errors import ShardError
from diptych.generate.growth import STEP
from diptych.generate.part import generate_part
from diptych.generate.plan import GenerationPlan
from diptych.generate.run import generate
from diptych.parts import JobPart, PartOutcome
from diptych.storage.local_files import LocalLocation

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


def test_each_part_notes_in_a_file_of_its_own_and_who_finishes_joins_them(
    plan: GenerationPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, notes = tmp_path / "out", tmp_path / "out/.timings"
    for number in (1, 2):
        do(plan, out, number)
    assert not (out / TIMINGS).exists(), "a file system need not let two add to one file"
    parts = {path.name: path.read_bytes() for path in sorted(notes.iterdir())}
    assert [*parts] == ["1-of-3.jsonl", "2-of-3.jsonl"]
    assert {note["shard"] for note in read_timings(out)} == {*done_by(1), *done_by(2)}
    with monkeypatch.context() as killed:
        killed.setattr(LocalLocation, "remove_everything", stop)
        with pytest.raises(KeyboardInterrupt):
            generate(plan, out, progress="none")
    assert {path.name: path.read_bytes() for path in sorted(notes.iterdir())} == parts
    generate(plan, out, progress="none")
    assert not notes.exists()
    lines = (out / TIMINGS).read_text().splitlines()
    assert len(set(lines)) == len(lines) == 5
    assert [note["shard"] for note in read_timings(out)] == [f"{number:05d}.parquet" for number in range(5)]


def done_by(part: int) -> list[str]:
    return [f"{number:05d}.parquet" for number in range(5) if JobPart(part, 3).takes(number)]


def stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_dataset_of_another_plan_is_refused(plan: GenerationPlan, plan_of: MakePlan, tmp_path: Path) -> None:
    do(plan, tmp_path / "out", 1)
    other = plan_of(models={"paper": {"backend": "grey", "path_or_id": "paper"}}, samples=4, rows_per_shard=2)
    with pytest.raises(ShardError, match=r"holds what was begun otherwise.*run it without --part first"):
        do(other, tmp_path / "out", 2)
