"""Pictures of the drawn world that nothing was trained on, as image files with captions: what a distance refers to."""

from pathlib import Path

from diptych.demo.world.captions import caption_of
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import encoded
from diptych.demo.world.plan import WEB_RECIPE
from diptych.demo.world.scenes import scene
from diptych.demo.world.seeds import HELD_OUT_PICTURES
from diptych.progress import track

SIDE_PX = 64  # what the demo pipelines make


def write_held_out(folder: Path, count: int, *, progress: str = "auto") -> None:
    """Write so many pictures of 64 px as PNG files with .txt captions beside them; those that are there stay.

    They are of the layouts that a demo web has, without faults.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with track("draw", count, mode=progress, unit="pictures") as tracker:
        for number in range(count):
            tracker.advance()
            picture = folder / f"{number:05d}.png"
            if picture.is_file():
                continue
            shown = scene(HELD_OUT_PICTURES + number, recipe=WEB_RECIPE)
            picture.with_suffix(".txt").write_text(f"{caption_of(shown)}\n", encoding="utf-8")
            part = picture.with_suffix(".part")
            part.write_bytes(encoded(draw(shown, SIDE_PX), "png", 0))
            part.replace(picture)
