"""Sources in an object store: the pool that is made of them is, byte for byte, that of a copy on this machine."""

import csv
import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ingested
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn import picture
from ingested import make_config
from object_store import ATTEMPTS, Bucket, Fail, local_files

from diptych.curate.ingest.run import ingest
from diptych.curate.run_directory import check_run_directory
from diptych.curate.sources import open_source
from diptych.curate.sources.digests import digest_files
from diptych.errors import DataError, ShardError

ROWS = 4
PIXELS = {number: picture(number) for number in range(ROWS)}
CARRIED = {"columns": ["place"], "types": {"place": "string"}}


def write_folder(folder: Path) -> None:
    """Pictures in two folders: with sidecars, named by a table, and hidden or broken ones."""
    below = folder / "a" / "b"
    below.mkdir(parents=True)
    for number in (0, 1):
        (folder / "a" / f"{number}.jpg").write_bytes(PIXELS[number])
        (folder / "a" / f"{number}.txt").write_text(f"picture {number}")
    lines = [
        {"file_name": f"{name}.jpg", "caption": f"picture {name}", "place": "here"} for name in (2, 3, "../../0", "no")
    ]
    (below / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for number in (2, 3):
        (below / f"{number}.jpg").write_bytes(PIXELS[number])
    (below / "cut.png").write_bytes(b"\x89PNG")
    for hidden in (".hidden.jpg", "__MACOSX/x.jpg", ".git/x.jpg"):
        (folder / hidden).parent.mkdir(exist_ok=True)
        (folder / hidden).write_bytes(b"x")


def members() -> list[tuple[str, bytes]]:
    told = json.dumps({"caption": "picture 1", "place": "there"}).encode()
    return [
        ("0.jpg", PIXELS[0]),
        ("0.txt", b"picture 0"),
        ("1.jpg", PIXELS[1]),
        ("1.json", told),
        ("1.bin", bytes(200_000)),
    ]


def write_tars(folder: Path) -> None:
    """A plain tar, one that is packed, and one that is cut."""
    folder.mkdir()
    for name, mode in {"0.tar": "w", "1.tar.gz": "w:gz"}.items():
        with tarfile.open(folder / name, mode) as tar:  # type: ignore[call-overload]
            for member, data in members():
                header = tarfile.TarInfo(member)
                header.size = len(data)
                tar.addfile(header, io.BytesIO(data))
    (folder / "2.tar").write_bytes((folder / "0.tar").read_bytes()[:150_000])
    (folder / "._0.tar").write_bytes(b"x")


def write_parquet(folder: Path) -> None:
    """Pictures in two files, one in several row groups and with a column that nobody asks for, and an empty file."""
    folder.mkdir()
    rows = {"image": [{"bytes": PIXELS[number], "path": None} for number in range(ROWS)]}
    further = {"caption": ["a", None, "c", "d"], "place": ["x"] * ROWS, "unread": [bytes(100_000)] * ROWS}
    pq.write_table(pa.table({**rows, **further}), folder / "0.parquet", row_group_size=2, compression="none")
    pq.write_table(pa.table({**rows, "caption": ["e"] * ROWS, "place": ["y"] * ROWS}), folder / "1.parquet")
    (folder / "2.parquet").write_bytes(b"")


SOURCES: dict[str, tuple[Callable[[Path], None], dict[str, Any]]] = {
    "folder": (write_folder, CARRIED),
    "parquet": (write_parquet, {"columns": ["place"]}),
    "webdataset": (write_tars, {"columns": ["place"]}),
}


def write_tables(folder: Path) -> None:
    """A table of each format, packed ones among them."""
    folder.mkdir()
    rows = [{"url": f"http://a.example/{number}.jpg", "caption": f"picture {number}"} for number in range(ROWS)]
    pq.write_table(pa.Table.from_pylist([{**row, "unread": bytes(100_000)} for row in rows]), folder / "0.parquet")
    with (folder / "1.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    (folder / "2.json").write_text(json.dumps(rows))
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (folder / "3.jsonl").write_bytes(lines)
    (folder / "4.jsonl.gz").write_bytes(gzip.compress(lines))
    (folder / "5.jsonl.zst").write_bytes(pa.compress(lines, codec="zstd", asbytes=True))


@pytest.mark.parametrize("kind", SOURCES)
def test_a_pool_is_the_same_from_a_store(kind: str, bucket: Bucket, tmp_path: Path) -> None:
    write, settings = SOURCES[kind]
    write(tmp_path / "in")
    address = bucket.upload(tmp_path / "in", "in")
    for path, out in ((tmp_path / "in", tmp_path / "here"), (address, tmp_path / "there")):
        ingested.run(make_config({"kind": kind, "path": str(path), **settings}, rows_per_shard=2), out)
    assert local_files(tmp_path / "here") == local_files(tmp_path / "there")
    assert len(local_files(tmp_path / "there")) > ROWS


def test_a_source_and_out_may_both_lie_in_stores(bucket: Bucket, tmp_path: Path) -> None:
    write_tars(tmp_path / "in")
    address = bucket.upload(tmp_path / "in", "in")
    ingest(make_config({"kind": "webdataset", "path": f"{address}/0.tar"}), f"{bucket.address}/pool", progress="none")
    ingested.run(make_config({"kind": "webdataset", "path": tmp_path / "in" / "0.tar"}), tmp_path / "pool")
    assert bucket.files("pool") == local_files(tmp_path / "pool")


@pytest.mark.parametrize("path", ["", "/0.parquet", "/*.jsonl*"])
def test_tables_of_urls_are_read_from_a_store(path: str, bucket: Bucket, tmp_path: Path) -> None:
    write_tables(tmp_path / "in")
    address = bucket.upload(tmp_path / "in", "in")

    def rows_at(place: str) -> list[Any]:
        source = open_source(make_config({"kind": "url_table", "path": f"{place}{path}"}).source)
        return [(part.name, table.to_pylist()) for part in source.parts() for table in source.tables(part.files)]

    assert rows_at(address) == rows_at(str(tmp_path / "in")) != []


def test_of_parquet_come_the_columns_that_are_asked_for(bucket: Bucket, tmp_path: Path) -> None:
    write_tables(tmp_path / "in")
    write_parquet(tmp_path / "pictures")
    tables, pictures = (bucket.upload(tmp_path / name, name) for name in ("in", "pictures"))
    for kind, path in (("url_table", f"{tables}/0.parquet"), ("parquet", f"{pictures}/0.parquet")):
        source = open_source(make_config({"kind": kind, "path": path}).source)
        bucket.server.clear()
        (part,) = source.parts()
        assert sum(table.num_rows for table in source.tables(part.files)) == ROWS
        assert bucket.server.bytes_read() < 200_000 < 400_000


def test_a_tar_is_streamed_and_not_asked_for_by_members(bucket: Bucket, tmp_path: Path) -> None:
    write_tars(tmp_path / "in")
    address = bucket.upload(tmp_path / "in", "in")
    source = open_source(make_config({"kind": "webdataset", "path": f"{address}/0.tar"}).source)
    (part,) = source.parts()
    bucket.server.clear()
    assert sum(table.num_rows for table in source.tables(part.files)) == 2
    assert len(bucket.server.asked("GET")) <= 4  # how it is packed, what is in it, the members


def test_a_folder_is_listed_and_not_asked_for_by_names(bucket: Bucket, tmp_path: Path) -> None:
    write_folder(tmp_path / "in")
    address = bucket.upload(tmp_path / "in", "in")
    bucket.server.clear()
    ingested.run(make_config({"kind": "folder", "path": address, **CARRIED}), tmp_path / "pool")
    pictures = [request for request in bucket.server.asked("GET", ".jpg") if not request.query]
    assert len(pictures) <= 2 * ROWS  # for its digest, and for its shard
    assert len(bucket.server.asked("HEAD")) <= 2  # for the picture that is named and not there
    assert bucket.server.listings() <= 20


def test_what_an_object_is_known_by_is_remembered_until_it_is_another(bucket: Bucket, tmp_path: Path) -> None:
    write_tars(tmp_path / "in")
    file = f"{bucket.upload(tmp_path / 'in', 'in')}/0.tar"
    settings = make_config({"kind": "webdataset", "path": file}).source
    for changed in (False, True):
        if changed:
            (tmp_path / "in" / "0.tar").write_bytes((tmp_path / "in" / "2.tar").read_bytes())
            bucket.upload(tmp_path / "in", "in")
        open_source(settings).parts()
        bucket.server.clear()
        found = [digest_files([file]) for _ in range(2)]
        assert found[0] == found[1] == digest_files([str(tmp_path / "in" / "0.tar")])
        assert len(bucket.server.asked("GET")) == 1


@pytest.mark.parametrize("how", [Fail.UNAVAILABLE, Fail.CUT])
def test_a_store_that_fails_for_a_moment_changes_no_byte(how: Fail, bucket: Bucket, tmp_path: Path) -> None:
    write_tars(tmp_path / "in")
    address = bucket.upload(tmp_path / "in", "in")
    bucket.server.fail("GET", "0.tar", how, times=ATTEMPTS - 1)
    for path, out in ((f"{address}/0.tar", tmp_path / "there"), (tmp_path / "in" / "0.tar", tmp_path / "here")):
        ingested.run(make_config({"kind": "webdataset", "path": str(path)}), out)
    assert not any(fault.times for fault in bucket.server.failing)
    assert local_files(tmp_path / "here") == local_files(tmp_path / "there")


@pytest.mark.parametrize("kind", SOURCES)
def test_what_a_store_refuses_is_no_row(kind: str, bucket: Bucket, tmp_path: Path) -> None:
    write, settings = SOURCES[kind]
    write(tmp_path / "in")
    address = bucket.upload(tmp_path / "in", "in")
    name = next(
        name for name in sorted(local_files(tmp_path / "in")) if name.endswith(("/0.jpg", "0.tar", "0.parquet"))
    )
    bucket.server.fail("GET", name, Fail.DENIED, times=99)
    with pytest.raises(DataError, match=rf"^{address}/{name}: cannot be read: .*; give credentials that may, as"):
        ingested.run(make_config({"kind": kind, "path": address, **settings}), tmp_path / "pool")


@pytest.mark.parametrize("kind", [*SOURCES, "url_table"])
@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("s3://nothing-here/in", "^s3://nothing-here: there is no such bucket, or these credentials do not show it; "),
        ("{}/absent", "^source.path: {}/absent: no (file or folder there|such folder)"),
    ],
)
def test_a_place_that_is_not_there_is_named(kind: str, place: str, said: str, bucket: Bucket) -> None:
    with pytest.raises(DataError, match=said.format(bucket.address)) as caught:
        open_source(make_config({"kind": kind, "path": place.format(bucket.address)}).source).parts()
    assert "\n" not in str(caught.value)


def test_out_in_the_source_is_refused(bucket: Bucket) -> None:
    source = f"{bucket.address}/in"
    with pytest.raises(ShardError, match=f"^{source}/out: lies in the source, {source}, which would change"):
        check_run_directory(f"{source}/out", source)
    with pytest.raises(ShardError, match=f"^{source}/pool/x: the source lies in {source}/pool, which the run writes"):
        check_run_directory(source, f"{source}/pool/x")
    check_run_directory(f"{bucket.address}/out", source)
