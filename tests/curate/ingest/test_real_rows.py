"""10,000 rows of a real alt-text table: odd URLs, odd captions, and a server that knows few of them."""

import hashlib
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from fault_server import FaultServer

from diptych.curate.config import CurateConfig
from diptych.curate.ingest.run import ingest
from diptych.data.shards import read_shard


def rewritten(url: str, port: int) -> str:
    """Point a URL of the table at the loopback server, whatever its host; the rest stays as odd as it was."""
    parts = urlsplit(url)
    return f"http://127.0.0.1:{port}{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"


def test_the_real_table_is_ingested_to_the_last_row(shared: Path, tmp_path: Path) -> None:
    table = pq.read_table(shared / "real/tables/img2dataset/test_files/test_10000.parquet")
    urls, captions = table["URL"].to_pylist(), table["TEXT"].to_pylist()
    photographs = sorted((shared / "real/photos/clip-retrieval/test_images").glob("*.jpg"))
    with FaultServer({}) as server:
        known = range(0, len(urls), 100)
        local = [rewritten(url, server.port) for url in urls]
        for number, row in enumerate(known):
            target = urlsplit(local[row])
            path = f"{target.path}{f'?{target.query}' if target.query else ''}"
            server.routes[path] = photographs[number % len(photographs)].read_bytes()
        pq.write_table(pa.table({"URL": local, "TEXT": captions}), tmp_path / "table.parquet")
        source = {
            "kind": "url_table",
            "path": tmp_path / "table.parquet",
            "url_column": "URL",
            "caption_column": "TEXT",
        }
        download = {"allow_private_addresses": True, "threads": 32, "retries": 0}
        config = CurateConfig.model_validate(
            {"job": "curate", "source": source, "download": download, "rows_per_shard": 2_500}
        )
        done = ingest(config, tmp_path / "pool", progress="none")
    dataset = done.dataset
    assert (done.rows_made, len(dataset.shards)) == (10_000, 4)
    rows = [row for file in dataset.files for row in read_shard(file, ["key", "url", "caption", "status"]).to_pylist()]
    pairs = [f"{url or ''}\n{caption or ''}" for url, caption in zip(local, captions, strict=True)]
    assert [row["key"][:16] for row in rows] == [hashlib.sha256(pair.encode()).hexdigest()[:16] for pair in pairs]
    assert len({row["key"] for row in rows}) == 10_000, "also where URL and caption are there twice"
    assert [row["caption"] for row in rows] == captions
    assert [row["url"] for row in rows] == local
    statuses = Counter(row["status"] for row in rows)
    assert sum(statuses.values()) == 10_000
    assert statuses["ok"] >= len(known)
    assert set(statuses) <= {"ok", "not_found", "bad_url"}, statuses
