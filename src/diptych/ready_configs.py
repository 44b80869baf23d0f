"""Configs that diptych brings along: where they lie, and what each is for.

They are the files of ``configs/`` in the repository; the wheel holds them beside this module.
"""

from pathlib import Path
from typing import NamedTuple

INSTALLED = Path(__file__).parent / "configs"
IN_REPOSITORY = Path(__file__).resolve().parents[2] / "configs"
DEMO = "demo"  # of no use without the pictures that the demo draws


class ReadyConfig(NamedTuple):
    """A config to begin with: its folder, such as ``curate``, its file, and the sentence of its first line."""

    group: str
    path: Path
    title: str


def config_path(name: str) -> Path:
    """Return the path of a config by its name below ``configs/``, such as ``demo/curate.yaml``."""
    return (INSTALLED if INSTALLED.is_dir() else IN_REPOSITORY) / name


def ready_configs() -> dict[str, ReadyConfig]:
    """Return the configs to begin with by their kinds, the names of their files; sorted, without those of the demo."""
    paths = [path for path in sorted(config_path("").glob("*/*.yaml")) if path.parent.name != DEMO]
    return {path.stem: ReadyConfig(path.parent.name, path, _title(path)) for path in paths}


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline().removeprefix("#").strip().removesuffix(".")
