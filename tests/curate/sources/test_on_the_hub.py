"""Sources, datasets and weights in repositories of the Hub, from a server on this machine that speaks its protocol."""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from drawn import picture
from hub_server import HubServer, serving
from object_store import local_files

from diptych.data.journal import JOURNAL

NAME = "datasets/ada/pictures"
SOURCES: dict[str, dict[str, Any]] = {
    "parquet": {"kind": "parquet", "path": "data", "caption_column": "text"},
    "folder": {"kind": "folder", "path": "files"},
    "tar": {"kind": "webdataset", "path": "tars/*.tar"},
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same pictures as Parquet, as files and as a tar."""
    folder = tmp_path_factory.mktemp("repository")
    for name in ("data", "files", "tars"):
        (folder / name).mkdir()
    for shard in range(2):
        numbers = range(3 * shard, 3 * shard + 3)
        images = [{"bytes": picture(number), "path": f"{number}.png"} for number in numbers]
        further = [os.urandom(3_000_000) for _ in numbers]
        table = pa.table({"image": images, "text": [f"a {number}" for number in numbers], "further": further})
        pq.write_table(table, folder / "data" / f"train-{shard}.parquet", compression="none")
    with tarfile.open(folder / "tars" / "0.tar", "w") as tar:
        for number in range(6):
            for name, data in {f"{number}.png": picture(number), f"{number}.txt": f"a {number}".encode()}.items():
                (folder / "files" / name).write_bytes(data)
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    (folder / "README.md").write_text("---\nlicense: cc0-1.0\n---\n")
    return folder


def call(hub: HubServer, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own: the Hub's library reads its address when it is imported."""
    command = [sys.executable, "-m", "diptych", "--progress", "none", *map(str, arguments)]
    environment = {**os.environ, **hub.environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def write_config(folder: Path, source: dict[str, Any], place: object) -> Path:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"job": "curate", "source": {**source, "path": f"{place}/{source['path']}"}}))
    return path


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_on_the_hub_gives_the_shards_of_one_on_this_machine(
    kind: str, repository: Path, tmp_path: Path
) -> None:
    with serving({NAME: repository}) as hub:
        hub.failing = 1  # which its library asks for again
        there = call(
            hub, "curate", "ingest", write_config(tmp_path, SOURCES[kind], f"hf://{NAME}"), "--out", tmp_path / "a"
        )
        assert (there.returncode, "6 rows, 6 images" in there.stdout) == (0, True), there.stderr
        assert hub.failing == 0
        # Once for its sha256, and then no more of the third column than is read ahead of the others.
        size = (repository / "data" / "train-0.parquet").stat().st_size
        assert hub.bytes_read("train-0.parquet") < 2 * size
        here = call(hub, "curate", "ingest", write_config(tmp_path, SOURCES[kind], repository), "--out", tmp_path / "b")
        assert here.returncode == 0, here.stderr
    shards = [
        {name: data for name, data in local_files(tmp_path / out / "pool" / "data").items() if name != JOURNAL}
        for out in "ab"
    ]
    assert shards[0] == shards[1] != {}


def test_what_is_not_there_or_cannot_be_written_is_said(repository: Path, tmp_path: Path) -> None:
    with serving({NAME: repository}) as hub:
        for place in ("hf://datasets/ada/absent", f"hf://{NAME}/absent"):
            config = write_config(tmp_path, SOURCES["folder"], place)
            said = call(hub, "curate", "ingest", config, "--out", tmp_path / "out").stderr
            assert f"{place}/files: no " in said
        config = write_config(tmp_path, SOURCES["folder"], f"hf://{NAME}")
        refused = call(hub, "curate", "ingest", config, "--out", f"hf://{NAME}/out")
        assert (refused.returncode, "nothing is written in" in refused.stderr) == (1, True)


def test_a_dataset_on_the_hub_is_looked_at_and_weights_are_copied(repository: Path, tmp_path: Path) -> None:
    with serving({NAME: repository}) as hub:
        made = call(
            hub, "curate", "ingest", write_config(tmp_path, SOURCES["folder"], repository), "--out", tmp_path / "a"
        )
        assert made.returncode == 0, made.stderr
    with serving({"datasets/ada/pool": tmp_path / "a" / "pool"}) as hub:
        tried = call(hub, "curate", "select", "hf://datasets/ada/pool", "--where", "width > 0")
        assert (tried.returncode, "6" in tried.stdout) == (0, True), tried.stderr
        script = (
            "from diptych.assets import named_path; print(*sorted(p.name for p in named_path('hf://ada/m').iterdir()))"
        )
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "config.json").write_text("{}")
    with serving({"models/ada/m": tmp_path / "model", "ada/m": tmp_path / "model"}) as hub:
        environment = {**os.environ, **hub.environment, "DIPTYCH_CACHE": str(tmp_path / "cache")}
        found = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        assert found.stdout.strip() == "config.json", found.stderr
