"""Runs: the dataset directory, the same bytes whatever is cut, killed or repeated, and what ends a run."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from generated_runs import digests, pictures, table_of
from tiny_pipelines import FAMILIES

from diptych.data import generated_columns
from diptych.data.checks import read_checks
from diptych.data.dataset import open_dataset
from diptych.data.generated_columns import GENERATED_COLUMNS, GeneratedColumn
from diptych.data.images import decode
from diptych.data.prompt_sets import prompt_kinds
from diptych.data.schema import DATA_COLUMNS
from diptych.data.timings import TIMINGS, read_timings
from diptych.errors import ShardError
from diptych.generate import run as run_module
from diptych.generate.pictures import OPTIONS, encode
from diptych.generate.plan import GenerationPlan
from diptych.generate.renderers import Renderers
from diptych.generate.run import generate
from diptych.jobs.engine import Engine

MakePlan = Callable[..., GenerationPlan]

COLUMNS = {
    "benchmark": pa.string(),
    "prompt_id": pa.string(),
    "category": pa.list_(pa.string()),
    "checks": pa.string(),
    "input_images": pa.list_(pa.string()),
    "model": pa.string(),
    "setting": pa.string(),
    "seed": pa.int64(),
    "sample": pa.int32(),
    "sampler": pa.string(),
    "steps": pa.int32(),
    "guidance": pa.float32(),
    "negative_prompt": pa.string(),
}


def make(plan: GenerationPlan, out: Path, **options: Any) -> int:
    return generate(plan, out, progress="none", **options).shards_made


@pytest.fixture
def small(plan_of: MakePlan) -> Callable[..., GenerationPlan]:
    """Return a function that plans 18 images of a stochastic sampler in shards of 4."""
    settings = [{"steps": [2, 3, 4], "size": 64, "sampler": "euler_a"}]
    return lambda **changes: plan_of("sd", **({"settings": settings, "samples": 2, "rows_per_shard": 4} | changes))


def test_an_axis_that_these_pipelines_do_not_have_is_null(
    small: Callable[..., GenerationPlan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lora = GeneratedColumn("lora", "string", "axis", "filter")
    monkeypatch.setattr(generated_columns, "GENERATED_COLUMNS", (*GENERATED_COLUMNS, lora))
    make(small(samples=1, rows_per_shard=20), tmp_path / "out")
    assert set(table_of(tmp_path / "out")["lora"].to_pylist()) == {None}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_run_makes_a_dataset_of_every_family(name: str, plan_of: MakePlan, tmp_path: Path) -> None:
    settings = [{"steps": 2, "size": 64, "sampler": ["euler", "euler_a"], "guidance": 3}]
    plan = plan_of(name, settings=settings, samples=2, rows_per_shard=5)
    assert make(plan, tmp_path / "out") == 3
    dataset = open_dataset(tmp_path / "out")
    assert (dataset.manifest["kind"], dataset.rows) == ("generated", 12)
    made_by = dataset.manifest["made_by"]
    assert made_by["models"][name]["components"]
    assert made_by["fingerprint"] == plan.fingerprint
    assert made_by["config"]["settings"][0]["sampler"] == ["euler", "euler_a"]
    (environment,) = made_by["environments"]
    assert {"device", "torch", "diffusers", "transformers"} <= set(environment)
    table = table_of(tmp_path / "out")
    assert set(table["status"].to_pylist()) == {"ok"}
    assert len(set(pictures(tmp_path / "out").values())) == 12, "twelve different pictures"
    assert {timing["shard"] for timing in read_timings(tmp_path / "out")} == {shard.name for shard in dataset.shards}


def test_rows_have_the_columns_of_a_generated_dataset_in_order(plan_of: MakePlan, tmp_path: Path) -> None:
    prompts = [{"kind": "demo", "per_category": 1}]
    settings = [
        {"steps": 2, "size": 64, "guidance": 5, "sampler": "ddim", "negative": [None, "", "grey"]},
        {"steps": 2, "size": "72x64", "guidance": 1},
    ]
    plan = plan_of("sdxl", prompts=prompts, settings=settings, seed=3)
    make(plan, tmp_path / "out")
    table = table_of(tmp_path / "out")
    assert tuple(table.column_names) == (*DATA_COLUMNS, *COLUMNS)
    assert {name: table.schema.field(name).type for name in COLUMNS} == COLUMNS
    rows = table.to_pylist()
    assert len(rows) == 4 * 5 == len({row["key"] for row in rows})
    first = rows[0]
    assert first["caption"] == plan.asked[0].text
    assert (first["benchmark"], first["prompt_id"], first["category"]) == ("demo", "single-0000", ["single"])
    assert read_checks(first["checks"]) == plan.asked[0].requests[0].prompt.checks
    assert (first["model"], first["setting"], first["sampler"]) == ("sdxl", "ddim-2-g5-64px", "ddim")
    assert (first["steps"], first["guidance"], first["sample"], first["url"], first["error"]) == (2, 5.0, 0, None, None)
    assert [rows[number]["negative_prompt"] for number in (0, 5, 10, 15)] == [None, "", "grey", None]
    assert (rows[15]["width"], rows[15]["height"], rows[15]["sampler"]) == (72, 64, "EulerDiscreteScheduler")
    assert first["image"]["path"] == f"{first['key']}.png"
    for row in rows:
        image = decode(row["image"]["bytes"])
        assert image.size == (row["width"], row["height"])
        assert row["sha256"] == hashlib.sha256(row["image"]["bytes"]).hexdigest()
        assert row["format"] == "png"


def test_the_manifest_says_of_which_kind_each_prompt_set_is(plan_of: MakePlan, tmp_path: Path) -> None:
    sets = [{"kind": "demo", "per_category": 1, "categories": ["single"], "name": name} for name in ("lite", "other")]
    make(plan_of("sdxl", prompts=sets, settings=[{"steps": 2, "size": 64}]), tmp_path / "out")
    assert prompt_kinds(open_dataset(tmp_path / "out").manifest) == {"lite": "demo", "other": "demo"}


def test_hugging_face_datasets_opens_a_run(small: MakePlan, tmp_path: Path) -> None:
    import datasets

    make(small(), tmp_path / "out")
    files = [str(file) for file in open_dataset(tmp_path / "out").files]
    found = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert found[0]["image"].size == (64, 64)


@pytest.mark.parametrize("rows_per_shard", [1, 7, 100])
def test_a_picture_is_the_same_however_the_plan_is_cut(rows_per_shard: int, small: MakePlan, tmp_path: Path) -> None:
    make(small(), tmp_path / "one")
    make(small(rows_per_shard=rows_per_shard), tmp_path / "two")
    assert pictures(tmp_path / "one") == pictures(tmp_path / "two")


def test_a_picture_is_the_same_whatever_else_is_asked_for(
    small: MakePlan, prompts: Path, plan_of: MakePlan, tmp_path: Path
) -> None:
    make(small(), tmp_path / "one")
    lines = prompts.read_text().splitlines()
    prompts.write_text("\n".join([lines[0], "", lines[2], "a boat", "a bird"]))
    settings = [{"steps": [3, 5], "size": 64, "sampler": ["euler", "euler_a"]}]
    make(plan_of("sdxl", "sd", settings=settings, samples=1, rows_per_shard=9), tmp_path / "two")
    one, two = pictures(tmp_path / "one"), pictures(tmp_path / "two")
    shared = set(one) & set(two)
    assert len(shared) == 2, "lines 1 and 3 at 3 steps of euler_a, one sample of each"
    assert all(one[key] == two[key] for key in shared)


def test_workers_change_no_byte(small: MakePlan, tmp_path: Path) -> None:
    make(small(), tmp_path / "one")
    make(small(), tmp_path / "two", engine=Engine(2))
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_a_run_that_is_finished_is_not_made_again(small: MakePlan, tmp_path: Path) -> None:
    assert make(small(), tmp_path / "out") == 5
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    assert make(small(), tmp_path / "out") == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


@pytest.mark.parametrize(("calls", "finished"), [(0, 0), (1, 1), (2, 1), (3, 2), (5, 4)])
def test_a_run_that_broke_off_goes_on_to_the_same_bytes(
    calls: int, finished: int, small: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(small(), tmp_path / "undisturbed")
    render, left = Renderers.render, [calls]

    def breaking(self: Any, *args: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return render(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Renderers, "render", breaking)
        with pytest.raises(KeyboardInterrupt):
            make(small(), tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.tmp"))
    assert not (tmp_path / "out" / "dataset.json").exists()
    with (tmp_path / "out" / TIMINGS).open("a") as file:
        file.write('{"shard": "00000.par')  # as a kill tears it
    assert make(small(), tmp_path / "out") == 5 - finished
    assert digests(tmp_path / "out") == digests(tmp_path / "undisturbed")
    assert len(read_timings(tmp_path / "out")) == 5


@pytest.mark.parametrize("changes", [{"seed": 9}, {"batch_size": 2}, {"threads": 2}, {"format": "webp"}])
def test_another_config_is_refused_where_a_run_was_made(
    changes: dict[str, Any], small: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(small(), tmp_path / "done")
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "seal_data", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            make(small(), tmp_path / "begun")
    for out in ("done", "begun"):
        before = digests(tmp_path / out)
        with pytest.raises(ShardError, match=r"18 images there are no longer asked for .* add --prune") as caught:
            make(small(**changes), tmp_path / out)
        assert "\n" not in str(caught.value)
        assert digests(tmp_path / out) == before


def test_longer_shards_are_not_another_run(small: MakePlan, tmp_path: Path) -> None:
    make(small(), tmp_path / "out")
    before = digests(tmp_path / "out")
    assert make(small(rows_per_shard=5), tmp_path / "out") == 0
    assert digests(tmp_path / "out") == before


def test_another_place_of_models_and_prompts_is_not_another_run(
    small: MakePlan, models: Callable[[str], str], prompts: Path, tmp_path: Path
) -> None:
    import shutil

    make(small(), tmp_path / "out")
    shutil.copytree(models("sd"), tmp_path / "moved")
    (tmp_path / "moved.txt").write_text(prompts.read_text())
    moved = small(
        models={"sd": {"path_or_id": str(tmp_path / "moved")}},
        prompts=[{"kind": "txt", "path": str(tmp_path / "moved.txt")}],
    )
    assert make(moved, tmp_path / "out") == 0


def test_a_picture_that_is_no_numbers_is_a_row_with_a_reason(
    small: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = Renderers.render

    def half(self: Any, group: Any, rows: Any) -> Any:
        return [None if row.sample else pixels for row, pixels in zip(rows, render(self, group, rows), strict=True)]

    monkeypatch.setattr(Renderers, "render", half)
    make(small(), tmp_path / "out")
    rows = table_of(tmp_path / "out").to_pylist()
    assert len(rows) == 18
    for row in rows:
        assert row["status"] == ("not_finite" if row["sample"] else "ok")
        assert (row["image"] is None) == (row["width"] is None) == (row["sha256"] is None) == bool(row["sample"])
        assert bool(row["error"]) == bool(row["sample"])


def test_a_disk_that_refuses_ends_the_run_with_its_reason(
    small: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **options: Any) -> Any:
        raise ShardError("00000.parquet: cannot be written: No space left on device")

    monkeypatch.setattr("diptych.generate.shard_job.write_shard", full)
    with pytest.raises(ShardError, match="No space left"):
        make(small(), tmp_path / "out")


@pytest.mark.parametrize("form", OPTIONS)
def test_pictures_are_written_without_loss_and_the_same_each_time(form: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (33, 47, 3), dtype=np.uint8)
    file = encode(pixels, form)
    assert file == encode(pixels.copy(), form)
    assert np.array_equal(np.asarray(decode(file)), pixels)


def test_webp_runs_hold_the_pixels_of_png_runs_under_the_same_keys(small: MakePlan, tmp_path: Path) -> None:
    make(small(), tmp_path / "png")
    make(small(format="webp"), tmp_path / "webp")
    png, webp = pictures(tmp_path / "png"), pictures(tmp_path / "webp")
    assert list(png) == list(webp)
    assert all(np.array_equal(np.asarray(decode(png[key])), np.asarray(decode(webp[key]))) for key in png)


def test_a_first_run_that_made_nothing_leaves_the_directory_to_another_config(
    small: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "run_job", lambda *args, **options: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            make(small(), tmp_path / "out")
    assert make(small(seed=9), tmp_path / "out") > 0
