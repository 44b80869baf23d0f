"""A pool that grows with its input: only what is new is made, and it is as if all had been made at once."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn import picture
from fault_server import FaultServer
from ingested import EXTEND, draw_folder, make_config, pool_files, pool_rows, run, write_urls
from source_rows import make_tar, write_files

from diptych.curate.ingest import run as ingest_run
from diptych.data.dataset import open_dataset
from diptych.errors import DataError, ShardError


def tar_of(path: Path, numbers: range) -> None:
    make_tar(
        path, [member for row in numbers for member in ((f"{row}.jpg", picture(row)), (f"{row}.txt", b"%d" % row))]
    )


def test_files_that_come_behind_are_added_as_if_made_at_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    config = make_config({"kind": "webdataset", "path": tmp_path / "in"}, rows_per_shard=3)
    tar_of(tmp_path / "in/0.tar", range(4))
    before = run(config, tmp_path / "grown").dataset
    tar_of(tmp_path / "in/1.tar", range(4, 9))
    done = run(config, tmp_path / "grown", EXTEND)
    assert done.rows_made == 5
    assert done.dataset.shards[:2] == before.shards
    assert run(config, tmp_path / "at-once").dataset.shards == done.dataset.shards
    assert pool_files(tmp_path / "grown") == pool_files(tmp_path / "at-once")
    assert run(config, tmp_path / "grown").rows_made == 0, "without --extend, too: it is the input that was given"


def test_without_extend_another_input_is_refused_and_the_way_is_said(tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(3))
    config = make_config({"kind": "folder", "path": tmp_path / "in"})
    run(config, tmp_path / "pool")
    draw_folder(tmp_path / "in", range(3, 5))
    with pytest.raises(ShardError, match="another input: 2 rows new; add what is new with --extend, or give another"):
        run(config, tmp_path / "pool")
    assert open_dataset(tmp_path / "pool").rows == 3
    assert run(config, tmp_path / "pool", EXTEND).dataset.rows == 5


def test_an_input_that_only_lost_rows_is_not_said_to_have_new_ones(tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(3))
    config = make_config({"kind": "folder", "path": tmp_path / "in"})
    run(config, tmp_path / "pool")
    for name in ("00.jpg", "00.txt"):
        (tmp_path / "in" / name).unlink()
    with pytest.raises(ShardError, match="another input: 1 row gone, 0 new; with --extend what is gone stays in the"):
        run(config, tmp_path / "pool")
    draw_folder(tmp_path / "in", range(3, 4))
    with pytest.raises(ShardError, match=r"1 row new, 1 row gone \(which stay in it\); add what is new with --extend"):
        run(config, tmp_path / "pool")


def test_corrected_captions_are_noticed_and_another_pool_is_advised(tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(3))
    config = make_config({"kind": "folder", "path": tmp_path / "in"})
    run(config, tmp_path / "pool")
    for name in ("00.txt", "02.txt"):
        (tmp_path / "in" / name).write_text(f"corrected {name}")
    said = "input: 2 rows new, 2 rows gone; pictures that it holds with another caption: 2; give another --out"
    with pytest.raises(ShardError, match=said):
        run(config, tmp_path / "pool")
    draw_folder(tmp_path / "in", range(3, 4))
    with pytest.raises(
        ShardError, match="3 rows new, 2 rows gone; pictures that it holds with another caption: 2; give"
    ):
        run(config, tmp_path / "pool")


def test_corrected_captions_of_a_table_are_noticed_by_its_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diptych.curate.ingest.recaptioned.MOST_LOOKED_AT", 2)
    with FaultServer({f"/{number}.jpg": picture(number) for number in range(4)}) as server:
        urls = [server.url(f"/{number}.jpg") for number in range(4)]
        config = make_config({"kind": "url_table", "path": tmp_path / "t.parquet"})
        write_urls(tmp_path / "t.parquet", urls)
        run(config, tmp_path / "pool")
        write_urls(tmp_path / "t.parquet", urls, ["caption of 0.jpg", "new", "new", "new"])
        with pytest.raises(
            ShardError, match="3 rows gone; pictures that it holds with another caption: 2 of the first 2; give"
        ):
            run(config, tmp_path / "pool")


def test_a_pool_read_in_another_way_is_not_extended(tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(3))
    source = {"kind": "folder", "path": tmp_path / "in"}
    run(make_config(source), tmp_path / "pool")
    for changed in (
        make_config({**source, "captions": "none"}),
        make_config(source, rows_per_shard=2),
        make_config(source, bytes_per_shard=10),
    ):
        with pytest.raises(ShardError, match="read in another way") as caught:
            run(changed, tmp_path / "pool", EXTEND)
        assert "--extend" not in str(caught.value)


def test_rows_of_a_table_that_are_new_are_asked_for_and_no_others(tmp_path: Path) -> None:
    with FaultServer({f"/{number}.jpg": picture(number) for number in range(9)}) as server:
        urls = [server.url(f"/{number}.jpg") for number in range(9)]
        config = make_config({"kind": "url_table", "path": tmp_path / "t.parquet"}, rows_per_shard=2)
        write_urls(tmp_path / "t.parquet", urls[:5])
        run(config, tmp_path / "pool")
        before = {row["key"]: row for row in pool_rows(open_dataset(tmp_path / "pool"))}
        write_urls(tmp_path / "t.parquet", [urls[8], *urls[3:5], urls[7], *urls[:3], urls[5], urls[6]])
        done = run(config, tmp_path / "pool", EXTEND)
        assert done.rows_made == 4
        assert {server.count(f"/{number}.jpg") for number in range(9)} == {1}
    after = {row["key"]: row for row in pool_rows(done.dataset)}
    assert before.items() <= after.items()
    assert [row["url"] for row in after.values()] == [*urls[:5], urls[8], urls[7], urls[5], urls[6]]


def test_appended_rows_are_added_as_if_made_at_once_where_shards_are_full(tmp_path: Path) -> None:
    with FaultServer({f"/{number}.jpg": picture(number) for number in range(9)}) as server:
        urls = [server.url(f"/{number}.jpg") for number in range(9)]
        config = make_config({"kind": "url_table", "path": tmp_path / "t.parquet"}, rows_per_shard=2)
        write_urls(tmp_path / "t.parquet", urls[:4])
        run(config, tmp_path / "grown")
        write_urls(tmp_path / "t.parquet", urls)
        run(config, tmp_path / "grown", EXTEND)
        run(config, tmp_path / "at-once")
    assert pool_files(tmp_path / "grown") == pool_files(tmp_path / "at-once")


def test_equal_rows_that_are_added_get_further_keys(tmp_path: Path) -> None:
    config = make_config({"kind": "url_table", "path": tmp_path / "t.parquet"})
    write_urls(tmp_path / "t.parquet", ["no url"] * 2)
    run(config, tmp_path / "pool")
    write_urls(tmp_path / "t.parquet", ["no url"] * 5)
    assert run(config, tmp_path / "pool", EXTEND).rows_made == 3
    keys = [row["key"] for row in pool_rows(open_dataset(tmp_path / "pool"))]
    assert keys == [keys[0], *(f"{keys[0]}-{ordinal}" for ordinal in (1, 2, 3, 4))]


def test_what_has_gone_from_the_input_stays_in_the_pool(tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(3))
    config = make_config({"kind": "folder", "path": tmp_path / "in"})
    run(config, tmp_path / "pool")
    for suffix in ("jpg", "txt"):
        (tmp_path / f"in/00.{suffix}").unlink()
    draw_folder(tmp_path / "in", range(3, 4))
    done = run(config, tmp_path / "pool", EXTEND)
    assert (done.rows_made, done.dataset.rows, done.rows_gone) == (1, 4, 1)
    again = run(config, tmp_path / "pool")
    assert (again.rows_made, again.rows_gone) == (0, 1)
    draw_folder(tmp_path / "in", range(1))
    back = run(config, tmp_path / "pool", EXTEND)
    assert (back.rows_made, back.rows_gone) == (0, 0)


KINDS = ["webdataset", "folder", "url_table", "parquet"]


def write_pairs(kind: str, source: Path, pairs: Sequence[tuple[int, str]]) -> None:
    """Write pictures by their numbers and their captions as a source of a kind."""
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir()
    pictures, captions = [picture(number) for number, _ in pairs], [caption for _, caption in pairs]
    if kind == "parquet":
        pq.write_table(pa.table({"image": pictures, "caption": captions}), source / "t.parquet")
    elif kind == "url_table":
        write_urls(source / "t.parquet", [f"no url {number}" for number, _ in pairs], captions)
    else:
        named = zip([f"{number}" for number in range(len(pairs))], pictures, captions, strict=True)
        files = {
            f"{name}.{end}": data for name, data, text in named for end, data in (("jpg", data), ("txt", text.encode()))
        }
        if kind == "folder":
            write_files(source, files)
        else:
            make_tar(source / "0.tar", files.items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_caption_of_a_picture_is_one_row_more_wherever_it_stands(kind: str, tmp_path: Path) -> None:
    config = make_config({"kind": kind, "path": tmp_path / "in"})
    write_pairs(kind, tmp_path / "in", [(0, "a cat"), (1, "a dog")])
    before = pool_rows(run(config, tmp_path / "pool").dataset)
    write_pairs(kind, tmp_path / "in", [(0, "a new one"), (0, "a cat"), (1, "a dog"), (0, "a cat")])
    done = run(config, tmp_path / "pool", EXTEND)
    after = pool_rows(done.dataset)
    assert [row["key"] for row in after[:2]] == [row["key"] for row in before]
    assert [row["caption"] for row in after] == ["a cat", "a dog", "a new one", "a cat"]
    assert (done.rows_made, done.rows_gone, after[3]["key"]) == (2, 0, f"{before[0]['key']}-1")


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_caption_is_a_new_row_and_the_old_one_is_counted_as_gone(kind: str, tmp_path: Path) -> None:
    config = make_config({"kind": kind, "path": tmp_path / "in"})
    write_pairs(kind, tmp_path / "in", [(0, "bad text"), (1, "a dog")])
    run(config, tmp_path / "pool")
    write_pairs(kind, tmp_path / "in", [(0, "a cat"), (1, "a dog")])
    done = run(config, tmp_path / "pool", EXTEND)
    assert (done.rows_made, done.rows_gone) == (1, 1)
    assert [row["caption"] for row in pool_rows(done.dataset)] == ["bad text", "a dog", "a cat"]
    assert run(config, tmp_path / "pool").rows_gone == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_copied_or_touched_input_is_the_same(kind: str, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    if kind == "webdataset":
        tar_of(source / "0.tar", range(3))
    elif kind == "folder":
        draw_folder(source, range(3))
    elif kind == "url_table":
        write_urls(source / "t.parquet", ["no url"] * 3)
    else:
        draw_folder(tmp_path / "pictures", range(3))
        made = run(make_config({"kind": "folder", "path": tmp_path / "pictures"}), tmp_path / "made").dataset
        shutil.copy(made.files[0], source / "t.parquet")
    config = make_config({"kind": kind, "path": source})
    assert run(config, tmp_path / "pool").rows_made == 3
    for path in source.iterdir():
        os.utime(path, (1, 1))
    assert run(config, tmp_path / "pool").rows_made == 0
    shutil.copytree(source, tmp_path / "copy")
    assert run(make_config({"kind": kind, "path": tmp_path / "copy"}), tmp_path / "pool").rows_made == 0


def test_a_file_that_changes_while_it_is_read_ends_the_run_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_folder(tmp_path / "in", range(3))
    config = make_config({"kind": "folder", "path": tmp_path / "in"})
    real = ingest_run.run_job

    def changed(*arguments: object, **options: object) -> object:
        (tmp_path / "in/01.jpg").write_bytes(picture(99))
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ingest_run, "run_job", changed)
    with pytest.raises(DataError, match=r"00\.jpg to .*02\.jpg: has changed while it was read"):
        run(config, tmp_path / "pool")
    assert not (tmp_path / "pool/dataset.json").exists()


@pytest.mark.parametrize("damage", ["zeroed", "removed"])
def test_damage_to_the_first_shard_of_typed_columns_keeps_no_run_from_going_on(tmp_path: Path, damage: str) -> None:
    pairs = (((f"{row}.jpg", picture(row)), (f"{row}.json", b'{"likes": %d}' % row)) for row in range(4))
    make_tar(tmp_path / "in.tar", [member for pair in pairs for member in pair])
    config = make_config({"kind": "webdataset", "path": tmp_path / "in.tar", "columns": ["likes"]}, rows_per_shard=2)
    run(config, tmp_path / "pool")
    whole = pool_files(tmp_path / "pool")
    first = tmp_path / "pool/data/00000.parquet"
    if damage == "zeroed":
        first.write_bytes(bytes(first.stat().st_size))
    else:
        first.unlink()
    assert run(config, tmp_path / "pool").rows_made == 2
    assert pool_files(tmp_path / "pool") == whole


def test_rows_that_nobody_can_make_again_are_counted_and_their_shard_is_kept_aside(tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(4))
    config = make_config({"kind": "folder", "path": tmp_path / "in"})
    run(config, tmp_path / "pool")
    for row in range(3):
        (tmp_path / "in" / f"{row:02d}.jpg").unlink()
        (tmp_path / "in" / f"{row:02d}.txt").unlink()
    draw_folder(tmp_path / "in", range(4, 5))
    run(config, tmp_path / "pool", EXTEND)
    shard = tmp_path / "pool/data/00000.parquet"
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    done = run(config, tmp_path / "pool", EXTEND)
    assert (done.dataset.rows, done.rows_made, done.rows_lost) == (2, 1, 3)
    assert (shard.parent / ".00000.parquet.aside").read_bytes() == data
