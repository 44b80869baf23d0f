"""Distances of an evaluation against files of statistics, in the place of a reference dataset."""

import dataclasses
import io
import re
from pathlib import Path
from typing import Any

import pytest
from drawn import picture
from evaluate_configs import call, call_json, make_config, read, run, write_config
from PIL import Image
from tiny_dataset import Row, make_dataset
from tiny_generated import made_grid, make_generated

ENCODERS = {"p": {"kind": "projection", "options": {"dim": 6}}}
METRICS = ("frechet_distance", "kernel_distance", "precision_recall", "memorisation")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Generated images of two models, photographs as a dataset, and their statistics as files of two programs."""
    make_generated(tmp_path / "generated", made_grid(prompts=6, samples=2))
    make_dataset(tmp_path / "photos", [Row(picture(100 + number)) for number in range(9)])
    options = ("--encoder", "projection", "--set", "dim=6")
    for name in ([], ["--format", "pytorch_fid"]):
        file = tmp_path / f"{name[-1] if name else 'own'}.npz"
        assert call("evaluate", "statistics", tmp_path / "photos", *options, *name, "--out", file).exit_code == 0
    return tmp_path


def with_file(folder: Path, name: str, *metrics: str, **changes: Any) -> dict[str, Any]:
    distances = [{"metric": metric, "encoder": "p", "reference": "photos"} for metric in metrics]
    files = {"photos": {"path": str(folder / f"{name}.npz")}}
    return make_config(folder, encoders=ENCODERS, references=files, distances=distances, **changes)


def numbers(folder: Path) -> list[dict[str, Any]]:
    names = "metric, groups, value, se, ci_low, ci_high, n, note, identity"
    sql = f"SELECT {names} FROM results JOIN identities USING (identity_id) ORDER BY ALL"
    return read(folder, sql)


def test_numbers_are_those_against_the_images_that_the_file_is_of(folder: Path) -> None:
    config = with_file(folder, "own", *METRICS, compare={"by": "model"})
    datasets = {**config["datasets"], "photos": {"path": str(folder / "photos"), "role": "reference"}}
    run({key: value for key, value in config.items() if key != "references"} | {"datasets": datasets})
    against_images = numbers(folder), read(folder, "SELECT * EXCLUDE (run_id) FROM differences ORDER BY ALL")
    (folder / "store.duckdb").unlink()
    run(config)
    assert (numbers(folder), read(folder, "SELECT * EXCLUDE (run_id) FROM differences ORDER BY ALL")) == against_images
    columns = read(folder, "SELECT DISTINCT score FROM scores ORDER BY score")
    assert any("nearest" in row["score"] for row in columns)
    again = call_json("evaluate", "run", write_config(folder, config))
    assert again["shards_done"] == 0


def test_prompts_of_a_file_that_have_another_text_are_other_prompts(folder: Path) -> None:
    grid = made_grid(models=("x",), prompts=8, samples=2)
    others = [
        dataclasses.replace(row, caption=f"another {row.prompt}", picture=300 + number)
        for number, row in enumerate(grid)
    ]
    for name, rows in (("first", grid), ("others", others)):
        make_generated(folder / name, rows, kinds=dict.fromkeys({row.benchmark for row in rows}, "txt"))
    options = ("--encoder", "projection", "--set", "dim=6", "--out", folder / "own.npz")
    assert call("evaluate", "statistics", folder / "others", *options).exit_code == 0
    config = with_file(folder, "own", "kernel_distance")
    config["datasets"]["generated"]["path"] = str(folder / "first")
    datasets = {**config["datasets"], "photos": {"path": str(folder / "others"), "role": "reference"}}
    run({key: value for key, value in config.items() if key != "references"} | {"datasets": datasets})
    against_images = numbers(folder)
    (folder / "store.duckdb").unlink()
    run(config)
    ends = ("value", "se", "ci_low", "ci_high")  # whose sums go through units of other names in another order
    for row, other in zip(numbers(folder), against_images, strict=True):
        assert [row[name] for name in ends] == pytest.approx([other[name] for name in ends], rel=1e-9)
        assert row["identity"] == other["identity"]


def test_of_a_file_of_moments_the_published_distance_alone_is_told_with_what_is_not_known(folder: Path) -> None:
    run(with_file(folder, "pytorch_fid", "frechet_distance", compare={"by": "model"}))
    rows = read(folder, "SELECT * FROM results")
    assert {row["metric"] for row in rows} == {"frechet_distance"}
    assert all("encoder and resize unknown of" in row["caution"] for row in rows)


@pytest.mark.parametrize(
    ("name", "metric", "changes", "told"),
    [
        (
            "pytorch_fid",
            "kernel_distance",
            {},
            "holds mean and covariance alone; kernel_distance needs a file with vec",
        ),
        ("own", "frechet_distance", {"dim": 5}, r"was made by another encoder: .*; save it by p"),
        ("absent", "frechet_distance", {}, r"absent\.npz: "),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_scored(
    name: str, metric: str, changes: dict[str, Any], told: str, folder: Path
) -> None:
    config = with_file(folder, name, metric)
    config["encoders"] = {"p": {"kind": "projection", "options": {"dim": 6, **changes}}}
    result = call("evaluate", "run", write_config(folder, config))
    assert (result.exit_code, len(result.output.splitlines())) == (1, 1), result.output
    assert re.search(told, result.output), result.output
    assert not list((folder / "generated").glob("embeddings/*"))


def test_a_label_is_of_a_dataset_or_of_a_file(folder: Path) -> None:
    config = with_file(folder, "own", "frechet_distance")
    config["references"] = {"generated": config["references"]["photos"]}
    said = call("evaluate", "run", write_config(folder, config)).output
    assert "references.generated: a dataset has this label; give the file another one" in said


def test_another_file_is_another_run(folder: Path) -> None:
    config = with_file(folder, "own", "frechet_distance")
    first = run(config).run_id
    assert run(config).run_id == first
    make_dataset(folder / "others", [Row(picture(200 + number)) for number in range(9)])
    options = ("--encoder", "projection", "--set", "dim=6", "--out", folder / "own.npz")
    assert call("evaluate", "statistics", folder / "others", *options).exit_code == 0
    assert run(config).run_id != first


def test_a_number_says_where_the_files_of_its_two_sides_differ(folder: Path) -> None:
    def enlarged(number: int) -> bytes:
        buffer = io.BytesIO()
        Image.open(io.BytesIO(picture(number))).resize((96, 64)).save(buffer, "PNG")
        return buffer.getvalue()

    make_dataset(folder / "large", [Row(enlarged(100 + number), size=(96, 64)) for number in range(9)])
    options = ("--encoder", "projection", "--set", "dim=6", "--out", folder / "large.npz")
    assert call("evaluate", "statistics", folder / "large", *options).exit_code == 0
    run(with_file(folder, "large", "frechet_distance"))
    whole = {**make_config(folder)["datasets"], "photos": {"path": str(folder / "large"), "role": "reference"}}
    distances = [{"metric": "frechet_distance", "encoder": "p", "reference": "photos"}]
    run(make_config(folder, name="whole", encoders=ENCODERS, datasets=whole, distances=distances))
    notes = [row["note"] for row in read(folder, "SELECT note FROM results")]
    differ = "reference of 9 images; the files differ: a is 48 x 32 throughout, b is 96 x 64 throughout"
    assert len(notes) == 4
    assert all(note.endswith(differ) for note in notes)
    run({**with_file(folder, "own", "frechet_distance"), "name": "alike"})
    run({**with_file(folder, "pytorch_fid", "frechet_distance"), "name": "unknown"})
    rows = read(folder, "SELECT note FROM results JOIN runs USING (run_id) WHERE name IN ('alike', 'unknown')")
    assert len(rows) == 4
    assert not any("the files differ" in row["note"] for row in rows)
