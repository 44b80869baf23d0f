"""What a power loss leaves of a run: newest files zeroed, halved or gone, lines of the journal lost or torn.

The same command ends with the bytes of an undisturbed run, and asks a URL again only for the shards that were lost.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner
from drawn import picture
from fault_server import FaultServer

from diptych.cli import main
from diptych.data.journal import JOURNAL

ROWS, PER_SHARD = 8, 2


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer({f"/{number}.jpg": picture(number) for number in range(ROWS)}) as running:
        yield running


@pytest.fixture(scope="module")
def config(server: FaultServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("config")
    urls = [server.url(f"/{number}.jpg") for number in range(ROWS)]
    pq.write_table(pa.table({"url": urls, "caption": [f"blobs {row}" for row in range(ROWS)]}), folder / "t.parquet")
    values = {
        "job": "curate",
        "source": {"kind": "url_table", "path": str(folder / "t.parquet")},
        "rows_per_shard": PER_SHARD,
        "download": {"allow_private_addresses": True, "threads": 4},
        "encoders": {"small": {"kind": "projection", "options": {"dim": 8}}},
        "scores": {
            "similarity": {"score": "clip_similarity", "encoder": "small"},
            "stats": {"score": "image_stats"},
        },
        "dedup": {"exact": True},
        "select": [{"name": "wide", "where": "short_side > 8"}],
        "export": {"rows_per_shard": 3, "min_shards": 1},
    }
    (folder / "curate.yaml").write_text(yaml.safe_dump(values))
    return folder / "curate.yaml"


def run(config: Path, out: Path) -> None:
    result = CliRunner().invoke(main, ["--progress", "none", "curate", "run", str(config), "--out", str(out)])
    assert result.exit_code == 0, result.output


def contents(out: Path) -> dict[str, bytes]:
    files = (path for path in out.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def undisturbed(config: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed")
    run(config, out)
    return contents(out)


def zeroed(data: bytes) -> bytes:
    return bytes(len(data))


def halved(data: bytes) -> bytes:
    return data[: len(data) // 2]


def emptied(data: bytes) -> bytes:
    return b""


def without_last_line(data: bytes) -> bytes:
    return b"".join(data.splitlines(keepends=True)[:-1])


def torn(data: bytes) -> bytes:
    return data[:-30]


def ending_in_zeros(data: bytes) -> bytes:
    return data[:-40] + bytes(40)


def until_shard(number: int, files: dict[str, bytes]) -> dict[str, bytes]:
    """Return what lies there of a run that was in its ingest when the power went, shards below ``number`` finished."""
    left = {name: data for name, data in files.items() if name.startswith("pool/data/")}
    left = {name: data for name, data in left.items() if not f"{number:05d}" <= Path(name).stem < "99999"}
    journal = f"pool/data/{JOURNAL}"
    return {**left, journal: b"".join(files[journal].splitlines(keepends=True)[: number + 1])}


SHARD, NEWEST = "pool/data/00002.parquet", "pool/data/00001.parquet"
Change = Callable[[bytes], bytes] | None  # None: the file is gone

# File, what became of it, whether the run was still in its ingest, and how many shards of the data were lost with it.
STATES: dict[str, tuple[str, Change, bool, int]] = {
    "newest shard zeroed": (NEWEST, zeroed, True, 3),
    "newest shard halved": (NEWEST, halved, True, 3),
    "newest shard emptied": (NEWEST, emptied, True, 3),
    "newest shard gone": (NEWEST, None, True, 3),
    "journal line gone": (f"pool/data/{JOURNAL}", without_last_line, True, 3),
    "journal line torn": (f"pool/data/{JOURNAL}", torn, True, 3),
    "journal line zeroed": (f"pool/data/{JOURNAL}", ending_in_zeros, True, 3),
    "manifest zeroed": ("pool/dataset.json", zeroed, False, 0),
    "manifest halved": ("pool/dataset.json", halved, False, 0),
    "manifest gone": ("pool/dataset.json", None, False, 0),
    "shard of a finished pool halved": (SHARD, halved, False, 1),
    "manifest of a score zeroed": ("_score.json", zeroed, False, 0),
    "score shard emptied": ("00003.parquet", emptied, False, 0),
    "manifest of decisions halved": ("pool/decisions/select/_decision.json", halved, False, 0),
    "manifest of the export zeroed": ("selected/dataset.json", zeroed, False, 0),
    "shard of the export halved": ("selected/data/00001.parquet", halved, False, 0),
}


@pytest.mark.parametrize("state", STATES)
def test_the_same_command_ends_with_the_bytes_of_an_undisturbed_run(
    state: str, config: Path, server: FaultServer, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    name, change, is_early, lost = STATES[state]
    files = until_shard(2, undisturbed) if is_early else dict(undisturbed)
    name = name if "/" in name else next(each for each in sorted(files) if "scores/" in each and each.endswith(name))
    data = files.pop(name)
    files |= {name: change(data)} if change is not None else {}
    for each, content in files.items():
        (tmp_path / "out" / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / each).write_bytes(content)
    before = len(server.requests)
    run(config, tmp_path / "out")
    assert contents(tmp_path / "out") == undisturbed
    assert len(server.requests) - before == lost * PER_SHARD
