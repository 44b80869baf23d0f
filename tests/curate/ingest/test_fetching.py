import tempfile
from contextlib import closing

import pyarrow as pa

from diptych.curate.download.spool import PIECE_BYTES, Body, Spool
from diptych.curate.ingest.fetching import arriving_tables
from diptych.curate.ingest.rows import IngestedRow


def test_pictures_that_wait_on_the_disk_come_into_the_table_as_they_are() -> None:
    bodies = [b"small", None, b"", bytes(range(256)) * (PIECE_BYTES // 100), b"small", None]
    keys = [str(number) for number in range(len(bodies))]
    given = pa.table({"caption": keys, "url": keys})
    with closing(Spool(tempfile.TemporaryFile())) as spool:
        twice = body_of(spool, b"small", uses=2)
        waiting = [twice if data == b"small" else data if data is None else body_of(spool, data) for data in bodies]
        rows = [IngestedRow("ok" if body else "timeout", body=body) for body in waiting]
        tables = list(arriving_tables(keys, given, iter(rows)))
        assert [(body.uses, body.read()) for body in waiting if body] == [(0, b"")] * 4
    (table,) = tables
    table.validate(full=True)
    assert [image and image["bytes"] for image in table["image"].to_pylist()] == bodies


def test_a_table_without_a_picture_has_none() -> None:
    given = pa.table({"caption": ["a"], "url": ["b"]})
    (table,) = arriving_tables(["0"], given, iter([IngestedRow("timeout")]))
    table.validate(full=True)
    assert table["image"].to_pylist() == [None]


def body_of(spool: Spool, data: bytes, uses: int = 1) -> Body:
    body = Body(spool)
    for start in range(0, len(data), PIECE_BYTES):
        body.add(data[start : start + PIECE_BYTES])
    body.uses = uses
    return body
