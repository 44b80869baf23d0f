"""Growth: a run that asks for more, for less or for something else where images were made before."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from generated_runs import counting, digests, pictures, shard_digests, table_of

from diptych.data.dataset import open_dataset
from diptych.data.growing import Growing
from diptych.data.shards import read_shard
from diptych.data.timings import read_environments
from diptych.errors import ConfigError, DataError, ShardError
from diptych.generate.growth import AS_IT_IS, GrowthOptions, retried_statuses
from diptych.generate.plan import GenerationPlan
from diptych.generate.run import GeneratedRun, generate
from diptych.generate.verify import verify
from diptych.scores.run import ScorePlan, score_dataset
from diptych.storage.local_files import LocalLocation
from diptych.storage.location import Location

MakePlan = Callable[..., GenerationPlan]

PRUNE = GrowthOptions(prune=True)
RETRY = GrowthOptions(retry=frozenset({"not_finite"}))


def make(plan: GenerationPlan, out: Path, options: GrowthOptions = AS_IT_IS) -> GeneratedRun:
    return generate(plan, out, options, progress="none")


@pytest.fixture
def small(plan_of: MakePlan) -> MakePlan:
    """Return a function that plans three prompts with two settings and two samples each, in shards of four."""
    asked = {"settings": [{"steps": [2, 3], "size": 64, "sampler": "euler_a"}], "samples": 2, "rows_per_shard": 4}
    return lambda *names, **changes: plan_of(*(names or ["sd"]), **(asked | changes))


@pytest.mark.parametrize(
    ("changes", "new"),
    [
        ({"settings": [{"steps": [2, 3, 4], "size": 64, "sampler": "euler_a"}]}, 6),
        ({"settings": [{"steps": [4, 2, 3], "size": 64, "sampler": "euler_a"}]}, 6),
        ({"samples": 3}, 6),
    ],
    ids=["a setting more", "a setting more, first", "a sample more"],
)
def test_asked_for_more_it_makes_only_what_is_new(
    changes: dict[str, Any], new: int, small: MakePlan, tmp_path: Path
) -> None:
    make(small(), tmp_path / "out")
    before = shard_digests(tmp_path / "out")
    with counting() as rendered:
        made = make(small(**changes), tmp_path / "out")
    assert (rendered.total(), made.rendered, made.pruned) == (new, new, 0)
    after = shard_digests(tmp_path / "out")
    assert len(after) == len(before) + -(-new // 4)
    assert {name: after[name] for name in before} == before
    make(small(**changes), tmp_path / "at once")
    assert pictures(tmp_path / "out") == pictures(tmp_path / "at once")
    assert make(small(**changes), tmp_path / "out").shards_made == 0


def test_a_model_and_a_prompt_set_more_are_made_beside_what_is_there(
    small: MakePlan, prompts: Path, tmp_path: Path
) -> None:
    make(small(), tmp_path / "out")
    other = tmp_path / "other.txt"
    other.write_text("a boat\na bird\n")
    sets = [{"kind": "txt", "name": "other", "path": str(other)}, {"kind": "txt", "path": str(prompts)}]
    with counting() as rendered:
        make(small("flux", "sd", prompts=sets), tmp_path / "out")
    assert (rendered.total(), max(rendered.values())) == (2 * (2 + 3) * 2 * 2 - 12, 1)
    found = verify(open_dataset(tmp_path / "out"), small("flux", "sd", prompts=sets), count=40, progress="none")
    assert sum(one.identical for one in found) == 40


def test_what_is_added_at_the_end_gives_the_bytes_of_one_go(small: MakePlan, tmp_path: Path) -> None:
    more = {"settings": [{"steps": [2, 3, 4], "size": 64, "sampler": "euler_a"}], "rows_per_shard": 6}
    make(small(rows_per_shard=6), tmp_path / "out")
    make(small(**more), tmp_path / "out")
    make(small(**more), tmp_path / "at once")
    assert digests(tmp_path / "out") == digests(tmp_path / "at once")


LESS = {"settings": [{"steps": 3, "size": 64, "sampler": "euler_a"}]}


def test_asked_for_less_it_says_what_would_go_and_changes_nothing(small: MakePlan, tmp_path: Path) -> None:
    make(small(), tmp_path / "out")
    before = digests(tmp_path / "out")
    message = (
        r"out: 6 images there are no longer asked for \(sd, euler_a-2-64px: 6\); "
        r"add --prune to drop them, or give another --out$"
    )
    with pytest.raises(ShardError, match=message) as caught:
        make(small(**LESS), tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert digests(tmp_path / "out") == before


def test_images_that_are_asked_for_in_another_way_are_said_to_be(small: MakePlan, tmp_path: Path) -> None:
    make(small(), tmp_path / "out")
    with pytest.raises(ShardError, match="made before with png, 1 threads, batches of 4; add --prune"):
        make(small(batch_size=2), tmp_path / "out")
    with counting() as rendered:
        assert make(small(batch_size=2), tmp_path / "out", PRUNE).pruned == 12
    assert rendered.total() == 12


def test_pruned_it_holds_what_is_asked_for_and_renders_nothing(small: MakePlan, tmp_path: Path) -> None:
    make(small(), tmp_path / "out")
    before, shards = pictures(tmp_path / "out"), shard_digests(tmp_path / "out")
    with counting() as rendered:
        made = make(small(**LESS), tmp_path / "out", PRUNE)
    assert (rendered.total(), made.rendered, made.pruned, made.shards_made) == (0, 0, 6, 1)
    after = pictures(tmp_path / "out")
    make(small(**LESS), tmp_path / "at once")
    assert after == pictures(tmp_path / "at once") == {key: before[key] for key in after}
    left = shard_digests(tmp_path / "out")
    assert set(left) == {"data/00001.parquet", "data/00002.parquet"}
    assert left["data/00002.parquet"] == shards["data/00002.parquet"], "a shard that lost nothing stays"


def test_pruned_and_asked_for_more_at_once(small: MakePlan, tmp_path: Path) -> None:
    make(small(), tmp_path / "out")
    other = {"settings": [{"steps": [3, 5], "size": 64, "sampler": "euler_a"}], "samples": 3}
    with counting() as rendered:
        made = make(small(**other), tmp_path / "out", PRUNE)
    assert (rendered.total(), max(rendered.values()), made.pruned) == (3 + 9, 1, 6)
    make(small(**other), tmp_path / "at once")
    assert pictures(tmp_path / "out") == pictures(tmp_path / "at once")


def test_a_renamed_set_and_other_words_are_written_without_rendering(
    small: MakePlan, prompts: Path, tmp_path: Path
) -> None:
    make(small(), tmp_path / "out")
    path = tmp_path / "named.jsonl"
    lines = [{"prompt": text, "category": ["x", "y"], "level": 3} for text in prompts.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    entry = {"kind": "jsonl", "name": "named", "path": str(path), "options": {"carry": ["level"]}}
    with counting() as rendered:
        made = make(small(prompts=[entry]), tmp_path / "out")
    assert (rendered.total(), made.pruned, made.shards_made) == (0, 0, 3)
    rows = table_of(tmp_path / "out").to_pylist()
    assert {(row["benchmark"], tuple(row["category"]), row["level"]) for row in rows} == {("named", ("x", "y"), 3)}
    make(small(prompts=[entry]), tmp_path / "at once")
    assert shard_digests(tmp_path / "out") == shard_digests(tmp_path / "at once")


def test_a_set_that_shares_prompts_takes_the_images_that_are_there(
    small: MakePlan, prompts: Path, tmp_path: Path
) -> None:
    make(small(), tmp_path / "out")
    before = shard_digests(tmp_path / "out")
    other = tmp_path / "other.txt"
    other.write_text("a house\na boat\na red fish\n")
    sets = [{"kind": "txt", "path": str(prompts)}, {"kind": "txt", "name": "other", "path": str(other)}]
    with counting() as rendered:
        made = make(small(prompts=sets), tmp_path / "out")
    assert (rendered.total(), made.rendered, made.reused) == (4, 4, 8)
    after = shard_digests(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    rows = table_of(tmp_path / "out").to_pylist()
    assert sum(row["benchmark"] == "other" for row in rows) == 12
    make(small(prompts=sets), tmp_path / "at once")
    assert pictures(tmp_path / "out") == pictures(tmp_path / "at once")


def test_images_of_other_runs_are_taken_by_key(small: MakePlan, tmp_path: Path) -> None:
    make(small(**LESS), tmp_path / "one")
    make(small(samples=1), tmp_path / "two")
    reuse = GrowthOptions(reuse=(tmp_path / "one", tmp_path / "two"))
    with counting() as rendered:
        made = make(small(), tmp_path / "out", reuse)
    assert (rendered.total(), made.rendered, made.reused) == (3, 3, 9), "one sample of two steps is in neither"
    make(small(), tmp_path / "at once")
    assert shard_digests(tmp_path / "out") == shard_digests(tmp_path / "at once")
    assert read_environments(tmp_path / "out") == read_environments(tmp_path / "one")
    with counting() as rendered:
        made = make(small(batch_size=2), tmp_path / "other batches", reuse)
    assert rendered.total() == 12, "images that may differ in last bits are not taken"
    said = [sentence.partition(": they were made with ") for sentence in made.not_taken]
    assert [where for where, _, _ in said] == [
        f"{tmp_path / name}: 6 of its images are rendered anew" for name in ("one", "two")
    ]
    assert all(why.endswith(", and here they are made with png, 1 threads, batches of 2") for _, _, why in said)


def test_a_run_that_has_nothing_that_is_asked_for_is_said_to_give_no_image(small: MakePlan, tmp_path: Path) -> None:
    make(small(**LESS), tmp_path / "one")
    reuse = GrowthOptions(reuse=(tmp_path / "one",))
    assert make(small(seed=7), tmp_path / "out", reuse).not_taken == (
        f"{tmp_path / 'one'}: gives no image: it has none that is asked for here and is not there already",
    )
    assert make(small(), tmp_path / "more", reuse).not_taken == ()


def test_a_damaged_image_of_another_run_is_not_taken(small: MakePlan, tmp_path: Path) -> None:
    make(small(), tmp_path / "one")
    file = tmp_path / "one" / "data" / "00001.parquet"
    data = bytearray(file.read_bytes())
    (first, *_) = read_shard(file, ["image"])["image"].to_pylist()
    at = bytes(data).index(first["bytes"]) + 60
    data[at] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(ShardError, match=r"00001\.parquet: .*damaged|00001\.parquet: .*cannot be read"):
        make(small(), tmp_path / "out", GrowthOptions(reuse=(tmp_path / "one",)))
    file.write_bytes(bytes(data[:-100]))
    with pytest.raises(ShardError, match=r"00001\.parquet: .*damaged"):
        make(small(), tmp_path / "out", GrowthOptions(reuse=(tmp_path / "one",)))


def test_only_finished_runs_give_images(small: MakePlan, tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="not a finished dataset directory"):
        make(small(), tmp_path / "out", GrowthOptions(reuse=(tmp_path,)))


def test_failed_rows_are_made_again_and_only_their_shards(small: MakePlan, tmp_path: Path) -> None:
    plan = small()
    failing = [plan.image(1).seed]  # in each of two settings: rows 1 and 7
    with counting(failing=failing):
        make(plan, tmp_path / "out")
    assert [row["status"] for row in table_of(tmp_path / "out").to_pylist()].count("not_finite") == 2
    before = digests(tmp_path / "out")
    assert make(plan, tmp_path / "out").shards_made == 0
    with counting(failing=failing) as rendered:
        made = make(plan, tmp_path / "out", RETRY)
    assert (rendered.total(), made.rendered, made.shards_made) == (2, 2, 2)
    assert digests(tmp_path / "out") == before, "they failed again"
    stamps = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "data").glob("*.parquet")}
    with counting() as rendered:
        make(plan, tmp_path / "out", RETRY)
    assert rendered.total() == 2
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "data").glob("*.parquet")}
    assert [name for name in sorted(stamps) if stamps[name] == after[name]] == ["00002.parquet"]
    make(plan, tmp_path / "undisturbed")
    assert digests(tmp_path / "out") == digests(tmp_path / "undisturbed")
    assert make(plan, tmp_path / "out", RETRY).shards_made == 0


def test_statuses_to_retry_are_known_ones() -> None:
    assert retried_statuses([]) == frozenset()
    assert retried_statuses(["all"]) == {"failed", "not_finite"}
    assert retried_statuses(["not_finite"]) == {"not_finite"}
    with pytest.raises(ConfigError, match="--retry: unknown status 'not_finit'; did you mean 'not_finite'"):
        retried_statuses(["not_finit"])


def test_scores_of_shards_that_stay_are_kept(small: MakePlan, tmp_path: Path) -> None:
    def score() -> int:
        plan = ScorePlan({}, {"stats": ("image_stats", {})})
        return score_dataset(tmp_path / "out", plan, threads=1, progress="none").shards_done

    make(small(), tmp_path / "out")
    assert score() == 3
    make(small(samples=3), tmp_path / "out")
    assert score() == 2
    make(small(samples=3, **LESS), tmp_path / "out", PRUNE)
    assert score() == 2, "those that lost rows"
    assert score() == 0


STEPS = ("append", "move_to", "publishing", "remove", "write")


def killed_after(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let the run end, as by a kill, at the ``count``-th change of a file."""
    left = [count]

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(self: Location, *args: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return method(self, *args)

        return wrapped

    for name in STEPS:
        monkeypatch.setattr(LocalLocation, name, wrap(getattr(LocalLocation, name)))


def test_killed_at_any_change_of_a_file_it_goes_on_to_the_same_end(
    plan_texts: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"one": ["cat", "dog", "fish"]}
    plan = plan_texts(few, rows_per_shard=4)
    failing = [plan.image(2).seed]
    with counting(failing=failing):
        make(plan, tmp_path / "start")
    asked = {"settings": [{"steps": [4, 5]}], "rows_per_shard": 4}
    after = plan_texts({"two": ["a tree", "dog"], "one": ["cat", "dog", "fish"]}, **asked)
    options = GrowthOptions(prune=True, retry=frozenset({"not_finite"}))
    shutil.copytree(tmp_path / "start", tmp_path / "undisturbed")
    with counting() as needed:
        make(after, tmp_path / "undisturbed", options)
    wanted = digests(tmp_path / "undisturbed")
    kills = 0
    while True:
        out = tmp_path / f"killed {kills}"
        shutil.copytree(tmp_path / "start", out)
        with counting() as rendered, monkeypatch.context() as patch:
            killed_after(patch, kills)
            try:
                make(after, out, options)
            except KeyboardInterrupt:
                patch.undo()
            else:
                break
            make(after, out, options)
        assert digests(out) == wanted, f"killed at change {kills}"
        assert rendered.total() <= needed.total() + 4, "one shard in flight may be lost"
        shutil.rmtree(out)
        kills += 1
    assert kills > 25


@pytest.mark.parametrize("lost", [["00000"], ["00002"], ["00003"], ["00002", "00003"], ["00001", "00002", "00004"]])
@pytest.mark.parametrize("how", ["flipped", "gone"])
def test_lost_shards_of_a_run_that_grew_come_back_as_they_were(
    lost: list[str], how: str, plan_texts: MakePlan, tmp_path: Path
) -> None:
    prompts = {"one": ["cat", "dog", "fish"]}
    make(plan_texts(prompts, rows_per_shard=5), tmp_path / "out")
    more = plan_texts({"one": ["a tree", *prompts["one"]]}, rows_per_shard=5, settings=[{"steps": [3, 4, 5]}])
    make(more, tmp_path / "out")
    before = digests(tmp_path / "out")
    assert [shard.rows for shard in open_dataset(tmp_path / "out").shards] == [5, 5, 2, 5, 5, 2]
    for name in lost:
        file = tmp_path / "out" / "data" / f"{name}.parquet"
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(bytes(data)) if how == "flipped" else file.unlink()
    (tmp_path / "out" / "dataset.json").unlink()
    with counting() as rendered:
        make(more, tmp_path / "out")
    assert digests(tmp_path / "out") == before
    assert rendered.total() == sum({"00002": 2, "00005": 2}.get(name, 5) for name in lost)


def test_a_next_version_that_a_kill_left_is_put_in_its_place(
    small: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(small(), tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(LocalLocation, "move_to", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            make(small(**LESS), tmp_path / "out", PRUNE)
    with counting() as rendered:
        make(small(**LESS), tmp_path / "out", PRUNE)
    assert rendered.total() == 0
    assert not list((tmp_path / "out" / "data").glob(".*"))


def test_a_directory_of_another_step_is_left_alone(small: MakePlan, tmp_path: Path) -> None:
    out = Location.at(tmp_path / "out")
    growing = Growing(out / "data", out / "dataset.json", "ingest", "x")
    growing.begin()
    with pytest.raises(DataError, match="holds a dataset that ingest made, and generate would lose it"):
        make(small(), tmp_path / "out", PRUNE)


def test_longer_shards_than_before_hold_only_what_is_new(small: MakePlan, tmp_path: Path) -> None:
    make(small(), tmp_path / "out")
    make(small(samples=3, rows_per_shard=100), tmp_path / "out")
    assert [shard.rows for shard in open_dataset(tmp_path / "out").shards] == [4, 4, 4, 6]
    plan = small(samples=3, rows_per_shard=100)
    assert dataclasses.replace(plan, config=small(samples=3).config).fingerprint == plan.fingerprint
