"""What img2dataset itself downloads and writes is read row for row as what diptych downloads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from drawn import picture
from fault_server import Fault, FaultServer, Route
from ingested import make_config, pool_rows, run, write_urls

GONE = 5
DOWNLOAD = """
import sys
from img2dataset import download
table, folder, layout = sys.argv[1:]
download(url_list=table, input_format="parquet", url_col="url", caption_col="caption", output_folder=folder,
         output_format=layout, processes_count=1, thread_count=4, disable_all_reencoding=True, compute_hash="sha256")
"""


@pytest.mark.slow
@pytest.mark.reference
@pytest.mark.parametrize("layout", ["parquet", "webdataset"])
def test_shards_of_img2dataset_have_the_pictures_and_captions_of_our_own_download(layout: str, tmp_path: Path) -> None:
    routes: dict[str, Route] = {f"/{row}.jpg": picture(row) for row in range(12)}
    routes[f"/{GONE}.jpg"] = Fault(status=404)
    theirs = tmp_path / layout
    with FaultServer(routes) as server:
        write_urls(tmp_path / "t.parquet", [server.url(path) for path in routes])
        ours = run(make_config({"kind": "url_table", "path": tmp_path / "t.parquet"}), tmp_path / "ours").dataset
        quiet = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1", "WANDB_MODE": "disabled"}
        arguments = [str(tmp_path / "t.parquet"), str(theirs), layout]
        subprocess.run([sys.executable, "-W", "ignore", "-c", DOWNLOAD, *arguments], env=quiet, check=True)
    source = {"kind": layout, "path": theirs}
    source |= {"image_column": "jpg", "columns": ["status"]} if layout == "parquet" else {}
    read = run(make_config(source), tmp_path / "read").dataset

    def found(rows: list[dict[str, object]]) -> set[tuple[object, ...]]:
        named = ("caption", "sha256", "width", "height", "format")
        return {tuple(row[name] for name in named) for row in rows if row["status"] == "ok"}

    assert len(found(pool_rows(ours))) == 11
    assert found(pool_rows(read)) == found(pool_rows(ours))
