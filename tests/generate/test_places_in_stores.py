"""What generate reads and writes beside its own run may lie in an object store: prompts, imports, exports."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from drawn import picture
from object_store import ATTEMPTS, Bucket, Fail, local_files
from tiny_generated import Made, make_generated

from diptych.cli import main
from diptych.data.journal import JOURNAL
from diptych.generate.chosen_prompts import choose_prompts
from diptych.generate.config import PromptChoice

Models = Callable[[str], str]

MADE = [Made("sd", prompt, 0, caption=f"a photo of {prompt + 2} benches", picture=prompt) for prompt in range(3)]


def run(*arguments: object) -> str:
    result = CliRunner().invoke(main, ["--progress", "none", "generate", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments: object) -> str:
    result = CliRunner().invoke(main, ["--progress", "none", "generate", *map(str, arguments)])
    assert result.exit_code != 0
    return result.output


def data_of(files: dict[str, bytes]) -> dict[str, bytes]:
    """All files but those that say where the images were from."""
    return {name: data for name, data in files.items() if name not in ("dataset.json", f"data/{JOURNAL}")}


@pytest.mark.parametrize("name", ["prompts.txt", "prompts.jsonl"])
def test_prompts_are_read_from_a_store(name: str, bucket: Bucket, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "sea.png").write_bytes(picture(1))
    (folder / "prompts.txt").write_text("a boat\na tree\n")
    lines = [{"prompt": "a boat", "images": ["sea.png"]}, {"prompt": "a tree"}]
    (folder / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    address = bucket.upload(folder, "in")
    bucket.server.fail("GET", name, Fail.UNAVAILABLE, times=ATTEMPTS - 1)
    kind = name.rpartition(".")[2]
    here, there = (
        choose_prompts(PromptChoice(kind=kind, path=f"{place}/{name}"), "prompts.0") for place in (folder, address)
    )
    (given, prompts), (remote, found) = here, there
    assert (remote.sha256, remote.source) == (given.sha256, given.source)
    assert [one.prompt.rendered for one in found] == [one.prompt.rendered for one in prompts]
    assert [[image.read() for image in one.prompt.images] for one in found] == [
        [image.read() for image in one.prompt.images] for one in prompts
    ]


def test_prompts_that_are_not_there_are_named(bucket: Bucket) -> None:
    with pytest.raises(Exception, match=f"^{bucket.address}/p.txt: no such file of prompts$"):
        choose_prompts(PromptChoice(kind="txt", path=f"{bucket.address}/p.txt"), "prompts.0")


def test_images_are_exported_to_a_store_and_imported_from_it_and_into_it(bucket: Bucket, tmp_path: Path) -> None:
    made = make_generated(tmp_path / "run", MADE)
    address = bucket.upload(tmp_path / "run", "run")
    run("export", made.path, "--layout", "geneval", "--out", tmp_path / "files")
    bucket.server.fail("PUT", ".png", Fail.CUT, times=ATTEMPTS - 1)
    assert "3 images" in run("export", address, "--layout", "geneval", "--out", f"{bucket.address}/files")
    assert bucket.files("files") == local_files(tmp_path / "files")
    bucket.server.clear()
    assert "0 of them written now" in run("export", address, "--layout", "geneval", "--out", f"{bucket.address}/files")
    assert not bucket.server.asked("PUT")

    run("import", tmp_path / "files", "--out", tmp_path / "imported")
    bucket.server.fail("GET", ".png", Fail.UNAVAILABLE)
    bucket.server.fail("PUT", ".parquet", Fail.CUT)
    for _ in range(2):
        assert "3 usable of 3 rows" in run("import", f"{bucket.address}/files", "--out", f"{bucket.address}/imported")
    assert data_of(bucket.files("imported")) == data_of(local_files(tmp_path / "imported"))


def test_where_nothing_is_written_no_image_is_read(tmp_path: Path) -> None:
    made = make_generated(tmp_path / "run", MADE)
    said = refused("export", made.path, "--layout", "geneval", "--out", "hf://datasets/a/b/files")
    assert "hf://datasets/a/b/files: nothing is written in a store of this kind; give another place" in said


def test_an_import_into_its_source_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0.png").write_bytes(picture(0))
    address = bucket.upload(tmp_path / "in", "in")
    said = f"{address}/out: lies in the source, {address}, which would change as it is read; give another --out"
    assert said in refused("import", address, "--out", f"{address}/out")
    absent = f"{bucket.address}/absent"
    assert f"{absent}: no files there" in refused("import", absent, "--out", tmp_path / "out")


def test_plans_models_configs_and_what_is_verified_or_taken_over_may_lie_in_a_store(
    models: Models, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path / "cache"))
    config = {
        "job": "generate",
        "prompts": [{"kind": "txt", "path": str(tmp_path / "prompts.txt")}],
        "models": {"sd": {"path_or_id": bucket.upload(Path(models("sd")), "model")}},
        "settings": [{"steps": 2, "size": 64}],
        "device": "cpu",
    }
    (tmp_path / "prompts.txt").write_text("a boat\na tree\n")
    bucket.put("grid.yaml", yaml.safe_dump(config).encode())
    bucket.put("there.yaml", yaml.safe_dump({**config, "prompts": [{"kind": "tx"}]}).encode())
    grid, out = f"{bucket.address}/grid.yaml", f"{bucket.address}/run"
    assert f"{bucket.address}/there.yaml:" in refused("plan", f"{bucket.address}/there.yaml")
    assert "images    2 in 1 shard" in run("plan", grid, "--out", out)
    run("run", grid, "--out", out)
    assert "2 of 2 identical" in run("verify", out, "--count", 2)
    assert "2 images already (2 rows of them reused)" in run("plan", grid, "--reuse", out)
    assert "2 reused" in run("run", grid, "--out", tmp_path / "again", "--reuse", out)
    assert f"{bucket.address}/absent" in refused("verify", f"{bucket.address}/absent")
