"""One command over real photographs on a loopback server with the faults of the real web mixed in."""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner
from fault_server import Fault, FaultServer, Route, redirect
from PIL import Image

from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.data.shards import read_shard
from diptych.storage.locks import LOCK

DEADLINE_S = 2.0
DRIPPING = 60  # bytes, of which one comes a second
LARGE = "short_side >= 100"


@dataclass
class Web:
    """What the server serves, the table that points to it, and what should come of each row."""

    routes: dict[str, Route] = field(default_factory=dict)
    rows: list[tuple[str, str]] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    copy_of: dict[int, int] = field(default_factory=dict)

    def add(self, path: str, route: Route | None, expected: str, copy_of: int | None = None) -> int:
        if route is not None:
            self.routes[path] = route
        self.rows.append((path, f"caption of {path}"))
        self.expected.append(expected)
        if copy_of is not None:
            self.copy_of[len(self.rows) - 1] = copy_of
        return len(self.rows) - 1


def recompressed(data: bytes, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def rotated_by_tag(data: bytes) -> bytes:
    """Return the picture stored lying on its side, with the EXIF tag that puts it upright."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    image.transpose(Image.Transpose.ROTATE_90).save(buffer, "JPEG", quality=92, exif=exif)
    return buffer.getvalue()


def make_web(shared: Path) -> Web:
    """Photographs of the folders, then planted copies of some, then faults."""
    web = Web()
    folders = [shared / "real/photos/dreambooth", shared / "real/photos/clip-retrieval/test_images"]
    files = sorted(path for folder in folders for path in folder.rglob("*.jpg"))
    bodies = [path.read_bytes() for path in files]
    for number, body in enumerate(bodies):
        web.add(f"/photo/{number}.jpg", body, "ok")
    for number in range(0, 50, 5):
        web.add(f"/mirror/{number}.jpg", bodies[number], "ok", copy_of=number)
        web.add(f"/small/{number}.jpg", recompressed(bodies[number + 1], 60), "ok", copy_of=number + 1)
        web.add(f"/phone/{number}.jpg", rotated_by_tag(bodies[number + 2]), "ok", copy_of=number + 2)
    whole = bodies[60]
    web.add("/missing.jpg", None, "not_found")
    web.add("/gone.jpg", Fault(status=410), "gone")
    web.add("/broken-server.jpg", Fault(status=500), "server_error")
    web.add("/moved.jpg", redirect("/photo/60.jpg"), "ok", copy_of=60)
    web.add("/drip.jpg", Fault(body=whole[:DRIPPING], body_byte_s=1.0), "timeout")
    web.add("/silent.jpg", Fault(how="silent"), "timeout")
    page = Fault(body=b"<!DOCTYPE html><html><body>sign in</body></html>", headers={"Content-Type": "text/html"})
    web.add("/login.jpg", page, "not_an_image")
    web.add("/half.jpg", whole[: len(whole) // 2], "truncated")
    web.add("/cut.jpg", Fault(body=whole[:5000], claimed_length=len(whole)), "truncated_body")
    web.add("/empty.jpg", b"", "empty")
    web.add("/drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "svg")
    web.add("/reserved.jpg", Fault(body=whole, headers={"X-Robots-Tag": "noai"}), "opted_out")
    corrupt = shared / "real/dedup/imagededup/mixed_images/ukbench09268_corrupt.jpg"
    web.add("/corrupt.jpg", corrupt.read_bytes(), "not_an_image")
    return web


def write_config(web: Web, server: FaultServer, folder: Path, **changes: Any) -> Path:
    urls = [server.url(path) for path, _ in web.rows]
    captions = [caption for _, caption in web.rows]
    pq.write_table(pa.table({"url": urls, "caption": captions}), folder / "table.parquet")
    config = {
        "job": "curate",
        "name": "photographs",
        "source": {"kind": "url_table", "path": str(folder / "table.parquet")},
        "rows_per_shard": 50,
        "download": {"allow_private_addresses": True, "deadline_s": DEADLINE_S, "threads": 16, "retries": 0},
        "encoders": {"projection": {"kind": "projection"}},
        "scores": {
            "stats": {"score": "image_stats"},
            "hashes": {"score": "hashes"},
            "similarity": {"score": "clip_similarity", "encoder": "projection"},
        },
        "dedup": {"perceptual": "phash_imagehash", "radius": 4},
        "select": [{"name": "large", "where": LARGE}],
        "export": {"rows_per_shard": 40},
        **changes,
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def call(*arguments: object) -> str:
    result = CliRunner().invoke(main, ["--progress", "none", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def read_rows(folder: Path) -> list[dict[str, Any]]:
    columns = ["key", "url", "caption", "status", "error", "sha256"]
    return [row for file in open_dataset(folder).files for row in read_shard(file, columns).to_pylist()]


@pytest.fixture(scope="module")
def finished(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("run")
    web = make_web(shared)
    with FaultServer(web.routes) as server:
        config = write_config(web, server, folder)
        summary = json.loads(call("curate", "run", config, "--out", folder / "out", "--json"))
        yield web, folder, config, summary, server


def test_every_row_is_accounted_for_with_its_reason(finished: Any) -> None:
    web, folder, _, summary, _ = finished
    rows = read_rows(folder / "out/pool")
    assert [row["caption"] for row in rows] == [caption for _, caption in web.rows]
    wrong = [
        (row["url"], row["status"], row["error"], expected)
        for row, expected in zip(rows, web.expected, strict=True)
        if row["status"] not in expected.split("|")
    ]
    assert wrong == []
    assert sum(summary["ingest"]["status"].values()) == len(web.rows)


def test_exactly_the_planted_duplicates_are_found(finished: Any) -> None:
    web, folder, *_ = finished
    dataset = open_dataset(folder / "out/pool")
    decided = dataset.column_set("decisions", "dedup")
    assert decided is not None
    rows = [row for file in decided.files for row in read_shard(file).to_pylist()]
    number = {row["key"]: place for place, row in enumerate(rows)}
    found = {number[row["key"]]: number[row["duplicate_of"]] for row in rows if row["duplicate_of"] is not None}
    assert found == web.copy_of


def test_a_dripping_server_is_left_at_the_deadline_and_not_asked_again(finished: Any) -> None:
    *_, server = finished
    # By the bytes that went out, one a second: however slow the machine is, the server is no faster.
    assert server.count("/drip.jpg") == 1
    assert server.sent("/drip.jpg") < DRIPPING / 2


def test_the_selection_opens_with_datasets_and_holds_what_was_kept(finished: Any) -> None:
    import datasets

    web, folder, _, summary, _ = finished
    opened = datasets.load_dataset(str(folder / "out/selected"), split="train", cache_dir=str(folder / "cache"))
    assert len(opened) == summary["export"]["rows"] == summary["select"]["funnel"][-1]["rows_out"]
    assert opened[0]["image"].size == (opened[0]["width"], opened[0]["height"])
    assert {"similarity__clip_similarity", "stats__entropy", "hashes__phash_imagehash"} <= set(opened.column_names)
    kept = web.expected.count("ok") - len(web.copy_of)
    assert len(opened) <= kept


def written_at(folder: Path) -> dict[Path, int]:
    """Return when each file was written, but for the locks, in which commands are noted."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != LOCK)
    return {path: path.stat().st_mtime_ns for path in files}


def test_a_second_run_does_nothing_and_says_so(finished: Any) -> None:
    _, folder, config, *_ = finished
    files = written_at(folder / "out")
    assert "Nothing to do" in call("curate", "run", config, "--out", folder / "out")
    assert files == written_at(folder / "out")


def test_a_changed_threshold_reruns_select_and_export_only(finished: Any) -> None:
    _, folder, config, *_ = finished
    rule = '[{"name": "large", "where": "short_side >= 400"}]'
    summary = json.loads(call("curate", "run", config, "--out", folder / "out", "--json", "--set", f"select={rule}"))
    assert {step: facts["is_new"] for step, facts in summary.items()} == {
        "ingest": False,
        "score": False,
        "dedup": False,
        "select": True,
        "export": True,
    }
    call("curate", "run", config, "--out", folder / "out")


def test_rules_can_be_tried_on_the_pool_without_writing(finished: Any) -> None:
    web, folder, config, *_ = finished
    out = call("curate", "select", folder / "out/pool", "--where", "big: short_side >= 400")
    assert "big" in out
    steps = json.loads(call("curate", "select", folder / "out/pool", "--json", "--where", "clip_similarity > -2"))
    assert [step["rule"] for step in steps] == ["readable", "rule_1", "duplicate"]
    assert steps[-1]["rows_in"] == web.expected.count("ok")
    tried = json.loads(call("curate", "select", folder / "out/pool", "--json", "--where", f"large: {LARGE}"))
    run = ("curate", "select", config, "--out", folder / "out", "--json")
    assert tried == json.loads(call(*run)), "what a trial keeps is what a run with the rule keeps"


def test_another_input_into_the_same_directory_is_refused_and_nothing_is_lost(finished: Any, tmp_path: Path) -> None:
    _, folder, *_ = finished
    web = Web()
    web.add("/other.jpg", b"x", "corrupt")
    with FaultServer(web.routes) as server:
        config = write_config(web, server, tmp_path)
        result = CliRunner().invoke(main, ["curate", "run", str(config), "--out", str(folder / "out")])
    assert result.exit_code == 1
    assert "made from another input" in result.output
    assert len(read_rows(folder / "out/pool")) > 100


def test_a_dry_run_counts_rows_and_disk_and_touches_nothing(shared: Path, tmp_path: Path) -> None:
    web = make_web(shared)
    with FaultServer(web.routes) as server:
        config = write_config(web, server, tmp_path)
        out = call("curate", "run", config, "--out", tmp_path / "out", "--dry-run")
        assert server.requests == []
    assert f"{len(web.rows):,}" in out
    assert "Nothing was written or downloaded" in out
    assert not (tmp_path / "out").exists()
