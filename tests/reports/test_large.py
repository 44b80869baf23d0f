"""Ten thousand images: sizes and nodes are asserted, times only against a bound that a busy machine keeps."""

import hashlib
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from report_browser import watch
from report_store import RUN
from report_world import encode
from sealed import seal_dataset

from diptych.data.dataset import Dataset
from diptych.data.generated_columns import generated_schema
from diptych.data.shards import shard_name, write_shard
from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig
from diptych.store.store import DatasetRow, Run, ScoreColumn, Store

COUNT = 10_000
PROMPTS = 500
PER_SHARD = 2500
SCORES = ("clip_score", "aesthetic", "sharpness", "object_correct")


def make_rows(start: int) -> pa.Table:
    """Return generated rows with tiny pictures of their own."""
    numbers = range(start, start + PER_SHARD)
    dice = np.random.default_rng(start)
    pictures = [encode(dice.integers(0, 256, (8, 8, 3))) for _ in numbers]
    columns: dict[str, Any] = {
        "key": [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in numbers],
        "image": [{"bytes": data, "path": None} for data in pictures],
        "caption": [f"a drawing of thing {number % PROMPTS} beside thing {number % 7}" for number in numbers],
        "url": [None] * PER_SHARD,
        "width": [8] * PER_SHARD,
        "height": [8] * PER_SHARD,
        "format": ["png"] * PER_SHARD,
        "sha256": [hashlib.sha256(data).hexdigest() for data in pictures],
        "status": ["ok"] * PER_SHARD,
        "error": [None] * PER_SHARD,
        "benchmark": ["large"] * PER_SHARD,
        "prompt_id": [str(number % PROMPTS) for number in numbers],
        "category": [[f"category {number % 6}"] for number in numbers],
        "checks": [""] * PER_SHARD,
        "input_images": [[]] * PER_SHARD,
        "model": [f"model {number // 5000}" for number in numbers],
        "setting": [f"euler-{10 + number // 2500 % 2 * 15}" for number in numbers],
        "seed": [2**62 + number % 2500 for number in numbers],
        "sample": [number % 2500 // PROMPTS for number in numbers],
        "sampler": ["euler"] * PER_SHARD,
        "steps": [10 + number // 2500 % 2 * 15 for number in numbers],
        "guidance": [5.0] * PER_SHARD,
        "negative_prompt": [None] * PER_SHARD,
    }
    return pa.table(columns, schema=generated_schema())


def make_large(folder: Path) -> tuple[Dataset, Path]:
    """Write ten thousand images and a store of their scores."""
    tables = [make_rows(start) for start in range(0, COUNT, PER_SHARD)]
    infos = [write_shard(table, folder / "data" / shard_name(i)) for i, table in enumerate(tables)]
    dataset = seal_dataset(folder, infos, {"kind": "generated", "name": "large", "licence": "", "made_by": {}})
    dice = np.random.default_rng(1)
    path = folder / "store.duckdb"
    with Store.open(path) as store, store.replace_run(Run(RUN, "large", "0", {}, {})):
        identity = store.insert_identity({"score": "made up"})
        store.insert_datasets([DatasetRow(RUN, "large", "generated", str(folder), "large", dataset.fingerprint, COUNT)])
        store.insert_score_columns(
            [ScoreColumn(RUN, name, "", "", None, None, "higher", None, identity) for name in SCORES]
        )
        for i, table in enumerate(tables):
            images = table.drop_columns(["image", "format", "error", "input_images"])
            facts = {"run_id": [RUN], "dataset": ["large"], "shard": [shard_name(i)]}
            for name, value in facts.items():
                images = images.append_column(name, pa.array(value * PER_SHARD))
            store.insert_images(images.append_column("shard_row", pa.array(range(PER_SHARD), pa.int32())))
            for name in SCORES:
                values = pa.array(dice.normal(25, 3, PER_SHARD).astype(np.float32).astype(np.float64))
                columns = {name_: pa.array(value * PER_SHARD) for name_, value in facts.items() if name_ != "shard"}
                columns |= {"key": table["key"], "score": pa.array([name] * PER_SHARD), "value": values}
                store.insert_scores(pa.table(columns))
    return dataset, path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    _, store = make_large(folder / "data")
    build_report(ReportConfig(job="report", store=store), folder / "out")
    return folder / "out"


def test_gallery_of_ten_thousand_stays_within_400_kb(large: Path) -> None:
    files = ["gallery.html", "data/rows.js", "data/thumbs.js", "data/captions-0.js"]
    sizes = {name: (large / name).stat().st_size for name in files}
    sizes |= {f"assets/{path.name}": path.stat().st_size for path in (large / "assets").iterdir()}
    assert sum(sizes.values()) <= 400_000, sizes
    assert (large / "index.html").stat().st_size <= 60_000
    assert len(zlib.compress((large / "gallery.html").read_bytes())) <= 6_000
    assert len(list((large / "thumbs").rglob("*.webp"))) == COUNT
    assert len(list((large / "thumbs").iterdir())) == 256


def test_ten_thousand_images_are_ready_at_once(large: Path, browser: Any, record_property: Any) -> None:
    with watch(browser) as tab:
        tab.open(large / "gallery.html")
        ready = tab.run("performance.now()")  # since navigation began; polled, so an upper bound
        record_property("ready_ms", ready)
        assert ready < 10_000
        assert tab.page.locator("#count").inner_text() == "10,000 images"
        assert tab.count("*") <= 1500
        tab.run("window.scrollTo(0, document.body.scrollHeight)")
        tab.page.wait_for_selector("[data-place='9999']")
        assert tab.count("*") <= 1500
        assert tab.said == []
        assert tab.foreign == []


def test_filter_and_sort_over_ten_thousand_show_the_right_images(large: Path, browser: Any) -> None:
    with watch(browser) as tab:
        tab.open(large / "gallery.html", "#f=model:model%201&f=clip_score:27..&s=-clip_score")
        values = tab.run("Diptych.rows.open().then(async (rows) => [...await rows.score('clip_score')])")
        expected = sum(value >= 27 for value in values[COUNT // 2 :])
        assert tab.page.locator("#count").inner_text().startswith(f"{expected:,} of ")
        first = tab.page.locator(".badge").first.inner_text()
        assert float(first) == pytest.approx(max(values[COUNT // 2 :]), rel=1e-3)


def test_compare_over_ten_thousand_draws_only_what_is_seen(large: Path, browser: Any) -> None:
    with watch(browser) as tab:
        tab.open(large / "compare.html")
        assert tab.page.locator("#count").inner_text() == "5,000 rows of the same prompt, seed and setting"
        assert tab.count("*") <= 1500
        tab.run("window.scrollTo(0, document.body.scrollHeight / 2)")
        tab.page.wait_for_timeout(200)
        assert 1 < tab.count("#rows .pair") < 40  # of 5,000
        assert tab.said == []


def test_table_of_ten_thousand_is_made_reading_each_file_once(large: Path, browser: Any) -> None:
    with watch(browser) as tab:
        tab.open(large / "gallery.html")
        with tab.page.expect_download() as waiting:
            tab.page.locator("#export").click()
        lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
        assert len(lines) == COUNT + 1
        files = [address for address in tab.requests if "details-" in address]
        assert len(files) == len(set(files)) == COUNT / 250
        assert tab.said == []
