from pathlib import Path

from diptych.demo.world.held_out import write_held_out


def test_held_out_pictures_are_there_once(tmp_path: Path) -> None:
    write_held_out(tmp_path / "pictures", 3, progress="none")
    files = sorted((tmp_path / "pictures").iterdir())
    assert [file.name for file in files] == [f"0000{n}.{kind}" for n in range(3) for kind in ("png", "txt")]
    before = [file.read_bytes() for file in files]
    times = [file.stat().st_mtime_ns for file in files]
    write_held_out(tmp_path / "pictures", 3, progress="none")
    assert [file.read_bytes() for file in files] == before
    assert [file.stat().st_mtime_ns for file in files] == times
