import json
from pathlib import Path

import pytest

from diptych.data.manifests import manifest_problem, read_manifest, write_manifest
from diptych.data.shards import ShardInfo
from diptych.errors import OtherVersion, ShardError
from diptych.storage.json_objects import read_json, write_json
from diptych.storage.location import Location

SHARD = ShardInfo("00000.parquet", 1, 2, "sha", "columns", "footer", "keys", "")


def written(path: Path) -> Location:
    place = Location.at(path / "dataset.json")
    write_manifest(place, {"kind": "pairs", "name": "ü"}, [SHARD])
    return place


def test_a_manifest_gives_back_its_facts_and_shards(tmp_path: Path) -> None:
    found = read_manifest(written(tmp_path))
    assert (found.facts, found.shards) == ({"kind": "pairs", "name": "ü"}, (SHARD,))


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    place = written(tmp_path)
    whole = place.read()
    assert manifest_problem(place) == ""
    for at in range(len(whole)):
        for bit in range(8):
            place.path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << bit)]) + whole[at + 1 :])
            assert manifest_problem(place), (at, bit)
            with pytest.raises(ShardError, match=r"dataset\.json: "):
                read_manifest(place)


@pytest.mark.parametrize("data", [b"", bytes(500), b"{", b"[]", b'{"format_version": 2, "check": "x"}'])
def test_a_manifest_that_was_not_written_so_is_named_with_what_to_do(tmp_path: Path, data: bytes) -> None:
    place = written(tmp_path)
    place.path.write_bytes(data)
    with pytest.raises(ShardError, match=r"dataset\.json: is damaged: .*; run the command that wrote it again"):
        read_manifest(place)


def test_version_1_is_refused_in_one_line_that_says_so(tmp_path: Path) -> None:
    write_json(tmp_path / "dataset.json", {"format_version": 1, "kind": "pairs", "shards": []})
    with pytest.raises(
        OtherVersion, match=r"format version 1; this diptych reads 2: make it anew, nothing converts it"
    ):
        read_manifest(Location.at(tmp_path / "dataset.json"))


def test_a_newer_version_asks_for_a_newer_diptych(tmp_path: Path) -> None:
    value = {**read_json(written(tmp_path).path), "format_version": 3}
    del value["check"]
    write_json(tmp_path / "dataset.json", value)
    with pytest.raises(OtherVersion, match=r"format version 3; this diptych reads 2: install a newer one"):
        read_manifest(Location.at(tmp_path / "dataset.json"))


def test_the_file_is_json_for_people(tmp_path: Path) -> None:
    value = json.loads(written(tmp_path).read())
    assert list(value) == ["format_version", "kind", "name", "shards", "check"]
