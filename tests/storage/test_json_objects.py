from pathlib import Path

import pytest

from diptych.errors import ShardError
from diptych.storage.json_objects import read_json, write_json


def test_json_keeps_order_and_text_and_refuses_what_is_not_json(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"b": "ü", "a": [1]})
    assert path.read_text(encoding="utf-8") == '{\n "b": "ü",\n "a": [\n  1\n ]\n}\n'
    assert list(read_json(path)) == ["b", "a"]
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert list(read_json(path)) == ["b", "a"]


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"[1]", "holds no JSON object"), (b"{", "is damaged"), (b"\xff", "is damaged"), (b"[" * 100_000, "is damaged")],
)
def test_what_is_no_json_object_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(ShardError, match=rf"a\.json: .*{message}"):
        read_json(tmp_path / "a.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match=r"absent\.json: no such file"):
        read_json(tmp_path / "absent.json")
