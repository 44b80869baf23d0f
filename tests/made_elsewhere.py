"""A folder of drawn pictures of seven prompts, as another program might leave it, and an import of it."""

import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from drawn import picture
from image_bytes import save
from PIL import Image

from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.data.shards import read_shard

THINGS = ("a bench", "a red boat", "two cats", "an owl", "a clock", "six eggs", "a fork")
PROMPTS = [f"a photo of {thing}" for thing in THINGS]


def draw_images(path: Path) -> Path:
    """Make a folder with two images of each of the seven prompts, called after them."""
    path.mkdir()
    for number, prompt in enumerate(PROMPTS):
        for sample in range(2):
            (path / f"{prompt}_{sample}.png").write_bytes(picture(10 * number + sample, kind="PNG"))
    return path


def spoil(folder: Path) -> None:
    """Take two images of the folder away, copy one, and make one blank, one misnamed, and one of another size."""
    (folder / "a photo of a bench_0.png").unlink()
    (folder / "a photo of a clock_1.png").unlink()
    shutil.copy(folder / "a photo of a red boat_0.png", folder / "a photo of a red boat_1.png")
    (folder / "a photo of two cats_1.png").write_bytes(save(Image.new("RGB", (48, 32), "black"), "PNG"))
    (folder / "a photo of an owl_0.png").rename(folder / "a foto of an owl_0.png")
    (folder / "a photo of six eggs_1.png").write_bytes(picture(99, (32, 32), kind="PNG"))


def import_(*arguments: object) -> Result:
    """Run ``diptych generate import``."""
    return CliRunner().invoke(main, ["--progress", "none", "generate", "import", *map(str, arguments)])


def imported(*arguments: object) -> dict[str, Any]:
    """Run it and return what it says as JSON."""
    result = import_(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Return all rows of a dataset."""
    return [row for file in open_dataset(path).files for row in read_shard(file).to_pylist()]


def grid_of(
    numbers: Sequence[int | None], size: tuple[int, int] = (48, 32), *, kind: str = "PNG", across: int = 2
) -> bytes:
    """Return a grid of pictures; None is a place that stays black."""
    whole = Image.new("RGB", (across * size[0], len(numbers) // across * size[1]))
    for place, number in enumerate(numbers):
        if number is not None:
            part = Image.open(io.BytesIO(picture(number, size, kind="PNG")))
            whole.paste(part, (place % across * size[0], place // across * size[1]))
    return save(whole, kind)
