"""Where a key of a config stands, by the path with which a message names it."""

from pathlib import Path

from diptych.config.load import place_in


def test_a_key_with_dots_in_it_is_found_by_its_parts(tmp_path: Path) -> None:
    """A message names a key by its path, in which the dots of a label are like those between keys."""
    path = tmp_path / "config.yaml"
    path.write_text("datasets:\n  real: {path: a}\n  sd1.5: {role: reference, path: runs/none}\n", encoding="utf-8")
    assert place_in(path, ["datasets", "sd1", 5, "path"]) == f"{path}:3:28"
    assert place_in(path, ["datasets", "sd1", 5, "other"]) == f"{path}:3:3"
    assert place_in(path, ["datasets", "sd2", 5]) == f"{path}:1:1"
