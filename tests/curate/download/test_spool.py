import hashlib
import io
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from diptych.curate.download.errors import FetchError
from diptych.curate.download.spool import PIECE_BYTES, Body, Spool


@pytest.fixture
def spool() -> Iterator[Spool]:
    with closing(Spool(tempfile.TemporaryFile())) as spool:
        yield spool


def body_of(spool: Spool, data: bytes) -> Body:
    body = Body(spool)
    for start in range(0, len(data), PIECE_BYTES):
        body.add(data[start : start + PIECE_BYTES])
    return body


def taken(body: Body) -> bytes:
    room = bytearray(body.size)
    body.take_into(memoryview(room))
    return bytes(room)


def test_bodies_come_back_as_they_were(spool: Spool) -> None:
    whole = bytes(range(256)) * (PIECE_BYTES // 100)  # more than two pieces
    large, small, empty = body_of(spool, whole), body_of(spool, b"small"), body_of(spool, b"")
    assert (large.read(), small.read(), empty.read()) == (whole, b"small", b"")
    assert (large.size, large.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())


def test_the_file_grows_to_what_waits_at_one_time_and_no_further() -> None:
    with tempfile.TemporaryFile() as file:
        spool = Spool(file)
        for _ in range(20):
            body_of(spool, b"x" * (2 * PIECE_BYTES)).drop()
        assert file.seek(0, io.SEEK_END) == 2 * PIECE_BYTES


def test_a_body_of_several_rows_is_there_until_the_last_one_took_it(spool: Spool) -> None:
    body = body_of(spool, b"12345")
    body.uses = 2
    assert [taken(body), taken(body)] == [b"12345", b"12345"]
    assert body.read() == b""


def test_a_disk_that_refuses_is_no_ordinary_failure_of_a_row() -> None:
    with closing(Spool(open("/dev/full", "r+b", 0))) as spool:
        with pytest.raises(FetchError, match=r"internal: the disk refuses what has come: .*No space left"):
            body_of(spool, b"x")
        assert isinstance(spool.failure, OSError)


def test_threads_do_not_disturb_one_another(spool: Spool) -> None:
    wrong = []

    def work(number: int) -> None:
        data = bytes([number]) * (PIECE_BYTES + number)
        for _ in range(20):
            body = body_of(spool, data)
            if taken(body) != data:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_bytes_that_are_gone_from_the_disk_are_no_picture(spool: Spool) -> None:
    body = body_of(spool, b"12345")
    spool._file.truncate(3)
    for read in (body.read, lambda: taken(body)):
        with pytest.raises(OSError, match="Input/output error"):
            read()
