"""The note by which a demo web is served again where it was."""

from pathlib import Path

import pytest
from drawn import draw_dataset

from diptych.demo.world.web_state import STATE, port_of, remember
from diptych.errors import ConfigError, ShardError


def test_what_is_noted_is_found_again(tmp_path: Path) -> None:
    remember(tmp_path / "web", 4000, 120)
    assert port_of(tmp_path / "web", 120, whole=tmp_path) == 4000
    with pytest.raises(ConfigError, match="is a demo web of 120 rows, not 140; give another --out, or 120 rows"):
        port_of(tmp_path / "web", 140, whole=tmp_path)


@pytest.mark.parametrize("text", ["{}", '{"port": 80}', '{"port": "80", "rows": 120}', '{"port": true, "rows": 120}'])
def test_note_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    state = tmp_path / STATE
    state.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="names no port and rows; delete"):
        port_of(tmp_path, 120, whole=tmp_path)


def test_damaged_or_missing_note_is_said(tmp_path: Path) -> None:
    state = tmp_path / STATE
    assert port_of(tmp_path, 120, whole=tmp_path) == 0
    state.write_text("{", encoding="utf-8")
    with pytest.raises(ShardError, match="damaged"):
        port_of(tmp_path, 120, whole=tmp_path)
    state.unlink()
    (tmp_path / "urls.parquet").touch()
    with pytest.raises(ConfigError, match=r"a table of URLs without web\.json"):
        port_of(tmp_path, 120, whole=tmp_path)


def test_web_is_not_made_inside_a_dataset(tmp_path: Path) -> None:
    draw_dataset(tmp_path)
    with pytest.raises(ShardError, match="web: lies inside the dataset"):
        port_of(tmp_path / "web", 120, whole=tmp_path)
