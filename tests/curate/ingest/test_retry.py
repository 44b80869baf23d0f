"""Failed rows that are asked for again: just their shards change, and nobody else is asked."""

from pathlib import Path
from typing import Any

import pytest
from drawn import picture
from fault_server import Fault, FaultServer, Route
from ingested import draw_folder, make_config, pool_files, pool_rows, run, write_urls

from diptych.curate.config import CurateConfig
from diptych.curate.download.errors import FETCH_CODES, REFUSED, TRANSIENT
from diptych.curate.ingest.retry import retried_statuses
from diptych.curate.ingest.run import IngestOptions
from diptych.data.dataset import open_dataset
from diptych.data.growing import Growing
from diptych.data.images import DECODE_CODES
from diptych.errors import ConfigError
from diptych.storage.local_files import LocalLocation

RETRY = IngestOptions(retry=retried_statuses(["transient"]))
ROWS = 9
BUSY = (1, 5)  # rows that the server has no time for on the first day
GONE = 4


def first_day(row: int) -> Route:
    if row in BUSY:
        return [Fault(status=503), Fault(body=picture(row), headers={"Content-Type": "image/jpeg"})]
    return Fault(status=410) if row == GONE else picture(row)


def start(folder: Path, server: FaultServer) -> CurateConfig:
    write_urls(folder / "t.parquet", [server.url(f"/{row}.jpg") for row in range(ROWS)])
    return make_config({"kind": "url_table", "path": folder / "t.parquet"}, rows_per_shard=3)


def statuses(pool: Path) -> list[str]:
    return [row["status"] for row in pool_rows(open_dataset(pool))]


def test_transient_failures_are_asked_for_again_and_nothing_else(tmp_path: Path) -> None:
    with FaultServer({f"/{row}.jpg": first_day(row) for row in range(ROWS)}) as server:
        config = start(tmp_path, server)
        before = run(config, tmp_path / "pool").dataset
        assert [row for row, status in enumerate(statuses(tmp_path / "pool")) if status == "server_error"] == [*BUSY]
        done = run(config, tmp_path / "pool", RETRY)
        assert (done.rows_made, done.rows_retried) == (0, 2)
        assert [server.count(f"/{row}.jpg") for row in range(ROWS)] == [1 + (row in BUSY) for row in range(ROWS)]
        changed = [one != other for one, other in zip(before.shards, done.dataset.shards, strict=True)]
        assert changed == [True, True, False]
        assert run(config, tmp_path / "pool", RETRY).rows_retried == 0
        run(config, tmp_path / "at-once")
    assert pool_files(tmp_path / "pool") == pool_files(tmp_path / "at-once"), "as if all had come on the first day"


def test_a_row_that_fails_again_has_the_new_reason(tmp_path: Path) -> None:
    with FaultServer({"/0.jpg": [Fault(status=503), Fault(status=404)], "/1.jpg": b"no picture"}) as server:
        write_urls(tmp_path / "t.parquet", [server.url("/0.jpg"), server.url("/1.jpg")])
        config = make_config({"kind": "url_table", "path": tmp_path / "t.parquet"})
        run(config, tmp_path / "pool")
        assert statuses(tmp_path / "pool") == ["server_error", "not_an_image"]
        run(config, tmp_path / "pool", RETRY)
        assert statuses(tmp_path / "pool") == ["not_found", "not_an_image"]
        server.routes["/1.jpg"] = picture(1)
        done = run(config, tmp_path / "pool", IngestOptions(retry=retried_statuses(["not_an_image"])))
        assert done.rows_retried == 1
    rows = pool_rows(open_dataset(tmp_path / "pool"))
    assert (rows[1]["status"], rows[1]["image"]["bytes"], rows[1]["width"]) == ("ok", picture(1), 48)
    assert rows[0]["error"] == "HTTP 404 Not Found"


def test_rows_that_are_there_and_rows_that_are_asked_again_may_alternate(tmp_path: Path) -> None:
    routes: dict[str, Route] = {
        f"/{row}.jpg": picture(row) if row % 2 else [Fault(status=503), Fault(body=picture(row))] for row in range(40)
    }
    with FaultServer(routes) as server:
        write_urls(tmp_path / "t.parquet", [server.url(f"/{row}.jpg") for row in range(40)])
        config = make_config({"kind": "url_table", "path": tmp_path / "t.parquet"}, rows_per_shard=30)
        run(config, tmp_path / "pool")
        assert run(config, tmp_path / "pool", RETRY).rows_retried == 20
    rows = pool_rows(open_dataset(tmp_path / "pool"))
    assert [row["image"]["bytes"] for row in rows] == [picture(row) for row in range(40)]
    assert [row["caption"] for row in rows] == [f"caption of {row}.jpg" for row in range(40)]


@pytest.mark.parametrize("moment", ["before the journal", "before the move"])
def test_a_retry_that_was_killed_goes_on_and_asks_nothing_twice_that_is_fine(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*what: Any) -> None:
        at.append(str(what[-1]))
        raise KeyboardInterrupt

    at: list[str] = []
    with FaultServer({f"/{row}.jpg": first_day(row) for row in range(ROWS)}) as server:
        config = start(tmp_path, server)
        run(config, tmp_path / "pool")
        with monkeypatch.context() as patch:
            last = (Growing, "replace") if moment == "before the journal" else (LocalLocation, "move_to")
            patch.setattr(*last, killed)
            with pytest.raises(KeyboardInterrupt):
                run(config, tmp_path / "pool", RETRY)
        run(config, tmp_path / "pool", RETRY)
        counts = [server.count(f"/{row}.jpg") for row in range(ROWS)]
        assert [count for row, count in enumerate(counts) if row not in BUSY] == [1] * (ROWS - len(BUSY))
        first_through = BUSY["00001.parquet" in at[0]]  # each of the two is in a shard of its own
        assert counts[first_through] == (3 if moment == "before the journal" else 2)
        run(config, tmp_path / "at-once")
    assert pool_files(tmp_path / "pool") == pool_files(tmp_path / "at-once")


def test_a_source_that_holds_its_pictures_has_nobody_to_ask(tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(2))
    with pytest.raises(ConfigError, match="--retry: asks for URLs again, and the source of this config holds"):
        run(make_config({"kind": "folder", "path": tmp_path / "in"}), tmp_path / "pool", RETRY)


def test_groups_and_statuses_can_be_named(tmp_path: Path) -> None:
    assert retried_statuses([]) == frozenset()
    assert retried_statuses(["transient"]) == frozenset(TRANSIENT) <= frozenset(FETCH_CODES)
    assert retried_statuses(["timeout", "svg"]) == {"timeout", "svg"}
    assert retried_statuses(["all"]) == {*FETCH_CODES, *DECODE_CODES} - {REFUSED}
    assert retried_statuses(["all", "opted_out"]) == {*FETCH_CODES, *DECODE_CODES}
    with pytest.raises(ConfigError, match="--retry: unknown status 'timeouts'; did you mean 'timeout'"):
        retried_statuses(["timeouts"])
