import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn import picture
from fault_server import FaultServer
from ingested import draw_folder, make_config, pool_rows, run

from diptych.curate.ingest.run import reason_counts
from diptych.data.dataset import open_dataset
from diptych.data.images import decode
from diptych.errors import DataError, ShardError


def test_a_folder_becomes_a_pool_with_bytes_as_they_came(tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(5))
    done = run(make_config({"kind": "folder", "path": tmp_path / "in"}, rows_per_shard=2), tmp_path / "pool")
    rows = pool_rows(done.dataset)
    assert (done.rows_made, len(done.dataset.shards)) == (5, 3)
    assert [row["caption"] for row in rows] == [f"picture {number}" for number in range(5)]
    assert [row["image"]["bytes"] for row in rows] == [picture(number) for number in range(5)]
    assert {(row["width"], row["height"], row["format"], row["status"]) for row in rows} == {(48, 32, "jpeg", "ok")}


@pytest.mark.parametrize("rows_per_shard", [1, 3, 100])
def test_the_rows_do_not_depend_on_the_shard_size(rows_per_shard: int, tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(7))
    config = make_config({"kind": "folder", "path": tmp_path / "in"}, rows_per_shard=rows_per_shard)
    rows = pool_rows(run(config, tmp_path / "pool").dataset)
    texts = [f"{hashlib.sha256(picture(number)).hexdigest()}\npicture {number}" for number in range(7)]
    assert [row["key"] for row in rows] == [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts]


def test_every_format_of_the_photographs_decodes_or_has_its_reason(shared: Path, tmp_path: Path) -> None:
    source = {"kind": "folder", "path": shared / "real/photos/rclip", "captions": "file_name"}
    dataset = run(make_config(source), tmp_path / "pool").dataset
    rows = pool_rows(dataset)
    statuses = {row["file"]: row["status"] for row in rows}
    texts = {"LICENSE.upstream", "ORIGIN.txt", "not-an-image.txt"}
    assert {name for name, status in statuses.items() if status == "not_an_image"} == texts
    assert set(statuses.values()) == {"ok", "not_an_image"}
    for row in rows:
        if row["status"] == "ok":
            assert decode(row["image"]["bytes"]).size == (row["width"], row["height"])


def test_what_is_not_an_image_keeps_its_bytes_and_gets_a_reason(shared: Path, tmp_path: Path) -> None:
    source = {"kind": "folder", "path": shared / "real/dedup/imagededup/mixed_images"}
    rows = {row["file"]: row for row in pool_rows(run(make_config(source), tmp_path / "pool").dataset)}
    corrupt = rows["ukbench09268_corrupt.jpg"]
    assert corrupt["status"] == "not_an_image"
    assert corrupt["error"]
    assert len(corrupt["image"]["bytes"]) == 189647


def test_hostile_captions_come_through_unchanged(tmp_path: Path) -> None:
    captions = [
        "</script><img src=x onerror=alert(1)>",
        "=cmd|' /C calc'!A0",
        "\u202egnp.exe",
        "a" * 1_000_000,
        "",
        None,
    ]
    with FaultServer({"/a.jpg": picture(0)}) as server:
        urls = [server.url("/a.jpg")] * len(captions)
        pq.write_table(pa.table({"url": urls, "caption": captions}), tmp_path / "t.parquet")
        dataset = run(make_config({"kind": "url_table", "path": tmp_path / "t.parquet"}), tmp_path / "pool").dataset
    assert [row["caption"] for row in pool_rows(dataset)] == [*captions[:4], None, None], "nothing is no caption"


def test_pictures_that_were_fetched_say_which_column_their_table_lacks(tmp_path: Path) -> None:
    with FaultServer({"/a.jpg": picture(0)}) as server:
        (tmp_path / "0.csv").write_text(f"url,caption\n{server.url('/a.jpg')},a cat\n")
        (tmp_path / "1.csv").write_text(f"URL\n{server.url('/a.jpg')}\n")
        dataset = run(make_config({"kind": "url_table", "path": tmp_path}), tmp_path / "pool").dataset
    found = [(row["status"], row["caption"], row["error"]) for row in pool_rows(dataset)]
    assert found == [("ok", "a cat", None), ("ok", None, "1.csv has no column 'caption'")]


def test_urls_that_lead_astray_are_refused_with_a_reason(tmp_path: Path) -> None:
    urls = ["file:///etc/passwd", "ftp://127.0.0.1/a.jpg", "javascript:alert(1)", "", None, "http://", "not a url"]
    pq.write_table(pa.table({"url": urls, "caption": ["x"] * len(urls)}), tmp_path / "t.parquet")
    dataset = run(make_config({"kind": "url_table", "path": tmp_path / "t.parquet"}), tmp_path / "pool").dataset
    assert reason_counts(dataset) == {"bad_url": len(urls)}


def test_private_addresses_are_refused_unless_allowed(tmp_path: Path) -> None:
    with FaultServer({"/a.jpg": picture(0)}) as server:
        pq.write_table(pa.table({"url": [server.url("/a.jpg")], "caption": ["x"]}), tmp_path / "t.parquet")
        config = make_config({"kind": "url_table", "path": tmp_path / "t.parquet"}, download={})
        dataset = run(config, tmp_path / "pool").dataset
        assert server.requests == []
    assert reason_counts(dataset) == {"blocked_address": 1}


def test_an_interrupted_ingest_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    with FaultServer({f"/{number}.jpg": picture(number) for number in range(6)}) as server:
        urls = [server.url(f"/{number}.jpg") for number in range(6)]
        pq.write_table(pa.table({"url": urls, "caption": urls}), tmp_path / "t.parquet")
        config = make_config({"kind": "url_table", "path": tmp_path / "t.parquet"}, rows_per_shard=2)
        run(config, tmp_path / "pool")
        (tmp_path / "pool/dataset.json").unlink()
        journal = tmp_path / "pool/data/_shards.jsonl"
        before = len(server.requests)
        assert run(config, tmp_path / "pool").rows_made == 0
        assert len(server.requests) == before, "the journal knows what is whole"
        (tmp_path / "pool/dataset.json").unlink()
        journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
        assert run(config, tmp_path / "pool").rows_made == 2
        assert len(server.requests) == before + 2
        assert run(config, tmp_path / "pool").rows_made == 0
        assert len(server.requests) == before + 2


def test_another_cut_of_the_same_input_is_refused(tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(3))
    source = {"kind": "folder", "path": tmp_path / "in"}
    run(make_config(source, rows_per_shard=2), tmp_path / "pool")
    with pytest.raises(ShardError, match="made from another input"):
        run(make_config(source, rows_per_shard=3), tmp_path / "pool")
    (tmp_path / "in/02.jpg").write_bytes(picture(99))
    with pytest.raises(ShardError, match="made from another input"):
        run(make_config(source, rows_per_shard=2), tmp_path / "pool")
    assert open_dataset(tmp_path / "pool").rows == 3


def test_an_empty_table_is_an_error_that_names_it(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"url": pa.array([], pa.string()), "caption": pa.array([], pa.string())}), tmp_path / "t.parquet"
    )
    with pytest.raises(DataError, match=r"t\.parquet: no rows"):
        run(make_config({"kind": "url_table", "path": tmp_path / "t.parquet"}), tmp_path / "pool")


def test_the_statuses_are_those_of_the_documentation(tmp_path: Path) -> None:
    from diptych.curate.download.errors import FETCH_CODES
    from diptych.data.images import DECODE_CODES

    text = (Path(__file__).resolve().parents[3] / "docs/sources.md").read_text()
    undocumented = [code for code in FETCH_CODES if f"`{code}`" not in text]
    assert undocumented == []
    assert not set(FETCH_CODES) & set(DECODE_CODES), "a status says which of the two it comes from"
