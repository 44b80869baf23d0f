"""Where the configs of the demo lie: in the wheel beside this package, in the repository under ``configs/demo``."""

from pathlib import Path

FOLDER = Path("configs", "demo")


def config_path(name: str) -> Path:
    """Return the path of a config of the demo, such as ``curate.yaml``."""
    installed = Path(__file__).parent / "configs" / name
    return installed if installed.is_file() else Path(__file__).resolve().parents[3] / FOLDER / name
