"""What a source or a prompt brought along is filtered in the gallery, or stands beside an image, like our columns."""

import dataclasses
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from carried_pool import make_carried_pool
from drawn import picture
from evaluate_configs import make_config, read, run
from report_browser import watch
from report_gallery import Gallery, counts
from sealed import seal_dataset
from tiny_generated import made_grid, make_generated
from told_scores import install

from diptych.curate.config import CurateConfig
from diptych.curate.run import STEPS, CurateRunner
from diptych.data.shards import write_shard
from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig

FILES = ("a.jpg", "b.jpg", "c.jpg")
LICENCES = ("cc0", "cc-by", None)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pool whose source brought two columns along, and images with columns that no schema knows, evaluated."""
    install(monkeypatch)
    rows = [
        {
            "image": picture(number),
            "caption": f"number={number}",
            "licence": LICENCES[number % 3],
            "uid": f"u{number}",
            "file": FILES[number % 3],
        }
        for number in range(60)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "source.parquet")
    source = {"kind": "parquet", "path": str(tmp_path / "source.parquet"), "columns": ["licence", "uid", "file"]}
    scores = {"n": {"score": "told_number"}}
    config = {"job": "curate", "name": "pairs", "source": source, "scores": scores}
    runner = CurateRunner(CurateConfig.model_validate(config), tmp_path / "run", progress="none")
    for step in STEPS:
        runner.run(step)
    dataset = make_generated(tmp_path / "generated", made_grid(prompts=4, samples=1), rows_per_shard=100)
    table = pq.read_table(dataset.files[0].path)
    tags = [["red", "round"] if number % 2 else ["red"] for number in range(len(table))]
    table = table.append_column("difficulty", pa.array([number % 3 for number in range(len(table))]))
    table = table.append_column("tags", pa.array(tags, pa.list_(pa.string())))
    info = write_shard(table, dataset.files[0])
    seal_dataset(tmp_path / "generated", [info], {"kind": "generated", "name": "tiny"})
    run(make_config(tmp_path, scores=scores, means=[{"score": "number", "by": ["difficulty"]}]))
    return tmp_path


@pytest.fixture
def gallery(folder: Path) -> Gallery:
    config: dict[str, Any] = {"job": "report", "store": folder / "store.duckdb", "pools": [folder / "run" / "pool"]}
    build_report(ReportConfig.model_validate(config), folder / "out")
    return Gallery(folder / "out")


def test_a_column_of_few_values_is_a_filter_that_people_can_pick(gallery: Gallery) -> None:
    for name, values in (
        ("licence", {"cc0", "cc-by"}),
        ("difficulty", {"0", "1", "2"}),
        ("tags", {"red", "round"}),
    ):
        assert set(gallery.facets[name]["values"]) == values
        assert gallery.facets[name]["listed"]
    assert gallery.count("gallery.html#f=licence:cc-by") == 20
    assert gallery.count("gallery.html#f=licence:none") == 20 + 8, "the images that have no such column too"
    assert gallery.count("gallery.html#f=difficulty:2") == 2
    assert 0 < gallery.count("gallery.html#f=tags:round") < gallery.count("gallery.html#f=tags:red"), (
        "each word of a list"
    )


def test_a_column_of_many_values_stands_beside_its_image(gallery: Gallery, browser: Any) -> None:
    assert not {"uid", "file"} & set(gallery.facets), "where a picture lies is no kind of picture"
    assert gallery.index["details"]["uid"] == "Uid"
    with watch(browser) as tab:
        tab.open(gallery.folder / "gallery.html", "#f=dataset:pairs&sel=8")
        tab.page.locator("#drawer dl.pairs").first.wait_for()
        text = tab.page.locator("#drawer").inner_text()
    assert "Uid\nu0" in text
    assert "Licence\ncc0" in text


def test_numbers_by_a_further_column_lead_to_their_images(folder: Path, gallery: Gallery) -> None:
    groups = [row["groups"] for row in read(folder, "SELECT groups FROM results")]
    assert groups == [{"difficulty": 0}, {"difficulty": 1}, {"difficulty": 2}]
    page = (gallery.folder / "scores.html").read_text(encoding="utf-8")
    for value, count in ((0, 3), (1, 3), (2, 2)):
        address = f"gallery.html#f=dataset:generated&amp;f=difficulty:{value}"
        assert address in page
        assert gallery.count(address) == count


TAKEN = ("model", "seed", "category", "setting", "dataset", "decision", "picture", "audit", "shard")


def test_a_column_whose_name_a_report_has_stands_there_as_one_of_the_source(tmp_path: Path) -> None:
    columns = {name: pa.array([f"{name} {number % 2}" for number in range(12)]) for name in TAKEN}
    pool = make_carried_pool(tmp_path, columns | {"rating": pa.array(range(12))}, {"rated": "rating > 3"})
    build_report(ReportConfig.model_validate({"job": "report", "pools": [pool]}), tmp_path / "out")
    gallery = Gallery(tmp_path / "out")
    for name in TAKEN:
        assert set(gallery.facets[f"source_{name}"]["values"]) == {f"{name} 0", f"{name} 1"}
        assert gallery.facets[f"source_{name}"]["listed"]
    assert set(gallery.facets["decision"]["values"]) == {"kept", "rated"}
    assert gallery.facets["dataset"]["values"] == ["carried"]


def test_images_of_a_store_keep_such_columns_too_and_are_grouped_by_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    dataset = make_generated(tmp_path / "generated", made_grid(prompts=4, samples=1), rows_per_shard=100)
    table = pq.read_table(dataset.files[0].path)
    table = table.append_column("picture", pa.array([f"kind {number % 2}" for number in range(len(table))]))
    table = table.append_column("decision", pa.array(["taken"] * len(table)))
    info = write_shard(table, dataset.files[0])
    seal_dataset(tmp_path / "generated", [info], {"kind": "generated", "name": "tiny"})
    means = [{"score": "caption_words", "by": ["picture"]}]
    run(make_config(tmp_path, scores={"text": {"score": "caption_stats"}}, means=means))
    pool = make_carried_pool(tmp_path / "pool", {"rating": pa.array(range(12))}, {"rated": "rating > 3"})
    config = {"job": "report", "store": tmp_path / "store.duckdb", "pools": [pool]}
    build_report(ReportConfig.model_validate(config), tmp_path / "out")
    gallery = Gallery(tmp_path / "out")
    assert set(gallery.facets["source_picture"]["values"]) == {"kind 0", "kind 1"}
    assert set(gallery.facets["decision"]["values"]) == {"kept", "rated"}
    found = [each for each in counts(tmp_path / "out") if "f=source_picture:" in each[1]]
    assert len(found) == 2
    assert [each for each in counts(tmp_path / "out") if each[2] != each[3]] == []


def test_a_pool_may_carry_a_column_of_our_name_and_one_of_the_name_that_ours_gets(tmp_path: Path) -> None:
    rows = [
        {"image": picture(number), "caption": f"{number}", "model": "cam"[number % 3], "source_model": "xy"[number % 2]}
        for number in range(12)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "source.parquet")
    columns = ["model", "source_model"]
    source = {"kind": "parquet", "path": str(tmp_path / "source.parquet"), "columns": columns}
    runner = CurateRunner(
        CurateConfig.model_validate({"job": "curate", "name": "pairs", "source": source}),
        tmp_path / "run",
        progress="none",
    )
    for step in STEPS:
        runner.run(step)
    config: dict[str, Any] = {"job": "report", "pools": [tmp_path / "run" / "pool"]}
    build_report(ReportConfig.model_validate(config), tmp_path / "out")
    gallery = Gallery(tmp_path / "out")
    assert gallery.count("gallery.html#f=source_model:x") == 6
    assert gallery.count("gallery.html#f=source_source_model:c") == 4


def test_images_may_have_a_column_of_the_report_s_name_and_one_of_the_name_that_it_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    rows = [dataclasses.replace(row, caption="number=1") for row in made_grid(prompts=4, samples=1)]
    dataset = make_generated(tmp_path / "generated", rows, rows_per_shard=100)
    table = pq.read_table(dataset.files[0].path)
    for name, words in (("picture", "ab"), ("source_picture", "cd")):
        table = table.append_column(name, pa.array([words[number % 2] for number in range(len(table))]))
    info = write_shard(table, dataset.files[0])
    seal_dataset(tmp_path / "generated", [info], {"kind": "generated", "name": "tiny"})
    means = [{"score": "number", "by": [name]} for name in ("picture", "source_picture")]
    run(make_config(tmp_path, scores={"n": {"score": "told_number"}}, means=means))
    config: dict[str, Any] = {"job": "report", "store": tmp_path / "store.duckdb"}
    build_report(ReportConfig.model_validate(config), tmp_path / "out")
    found = [each for each in counts(tmp_path / "out") if each[0] == "scores.html"]
    assert [(said, shown) for _, _, said, shown in found] == [(4, 4)] * 4
    assert {part for _, address, *_ in found for part in address.split("&amp;") if "picture" in part} == {
        "f=source_source_picture:a",
        "f=source_source_picture:b",
        "f=source_picture:c",
        "f=source_picture:d",
    }


def test_texts_that_a_score_says_of_each_image_are_no_list_to_filter_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    rows = [
        dataclasses.replace(row, caption=f"hat=text{number} class={('man', 'woman')[number % 2]}")
        for number, row in enumerate(made_grid(prompts=30, samples=1))
    ]
    make_generated(tmp_path / "generated", rows)
    run(make_config(tmp_path, scores={"said": {"score": "told_attribute"}}))
    build_report(ReportConfig.model_validate({"job": "report", "store": tmp_path / "store.duckdb"}), tmp_path / "out")
    facets = {one["name"]: one for one in Gallery(tmp_path / "out").index["facets"]}
    assert len(facets["said.attribute"]["values"]) == 60
    assert (facets["said.attribute"]["listed"], facets["said.attribute_class"]["listed"]) == (False, True)
