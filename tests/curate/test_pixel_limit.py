"""The limit on pixels that a config sets is that of every step: what it lets in is decoded later, too."""

from pathlib import Path

import pytest
from drawn import picture
from fault_server import FaultServer
from ingested import draw_folder, make_config, pool_rows, run, write_urls

import diptych
from diptych.data import images
from diptych.data.shards import read_shard
from diptych.scores import decoded, loading
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

PIXELS = 48 * 32


def statuses(rows: list[dict[str, object]]) -> list[object]:
    return [row["status"] for row in rows]


def test_a_picture_of_more_pixels_is_a_row_with_that_reason(tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(2))
    (tmp_path / "in" / "small.jpg").write_bytes(picture(7, (16, 16)))
    source = {"kind": "folder", "path": str(tmp_path / "in"), "max_pixels": PIXELS - 1}
    rows = pool_rows(run(make_config(source), tmp_path / "pool").dataset)
    assert statuses(rows) == ["too_many_pixels", "too_many_pixels", "ok"]
    assert rows[0]["error"] == f"48 x 32 pixels, more than {PIXELS - 1}"


def test_a_picture_that_is_fetched_obeys_the_limit(tmp_path: Path) -> None:
    with FaultServer({"/0.jpg": picture(0)}) as server:
        write_urls(tmp_path / "t.parquet", [server.url("/0.jpg")])
        source = {"kind": "url_table", "path": str(tmp_path / "t.parquet"), "max_pixels": 10}
        rows = pool_rows(run(make_config(source), tmp_path / "pool").dataset)
    assert statuses(rows) == ["too_many_pixels"]


def test_what_a_higher_limit_has_let_in_is_scored_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for function in (images.decode, images.inspect, images.glance, loading.load_image):
        monkeypatch.setattr(function, "__kwdefaults__", {"max_pixels": 100})
    draw_folder(tmp_path / "in", range(2))
    source = {"kind": "folder", "path": str(tmp_path / "in"), "max_pixels": PIXELS}
    pool = tmp_path / "pool"
    assert statuses(pool_rows(run(make_config(source), pool).dataset)) == ["ok", "ok"]
    scores = {"stats": ("image_stats", {}), decoded.NAME: (decoded.NAME, {})}
    found = score_dataset(pool, ScorePlan({}, scores), progress="none").sets
    for column_set in found.values():
        reasons = [reason for file in column_set.files for reason in read_shard(file, ["reason"])["reason"].to_pylist()]
        assert reasons == [None, None], column_set.name
    assert [image.size for image in diptych.open_dataset(pool).images()] == [(48, 32)] * 2
