"""Pictures drawn to order: of each prompt one by a hand that draws what is asked, and one by a hand that errs.

What each of them shows is known, and is written down beside them for whoever judges, see ``truth_judge``. The two hands
stand where two generative models would, so that the number that a protocol gives can be held against the truth.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

from diptych.data.images import decode
from diptych.demo.truth_judge import PIXELS, TRUTH, pixels_sha256
from diptych.demo.world.captions import distinct_captions, prompt_of
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import encoded
from diptych.demo.world.scenes import LAYOUTS, Layout, Scene, scene
from diptych.demo.world.seeds import ORDERED_PICTURES
from diptych.demo.world.truth import truth_of
from diptych.storage.location import Location

PICTURES, TRUTHS = "pictures", "truth.jsonl"  # in the folder
TABLE = "metadata.jsonl"  # among the pictures
CAREFUL, CARELESS = "careful", "careless"  # the hands
PER_LAYOUT = 8  # prompts; there are no more occupations
SIDE_PX = 64
SEEDS_PER_LAYOUT = 1_000_000
OTHERS = 500_000  # how far behind the scenes that are asked for those lie that are drawn in their place
ERRS_IN = 3  # of so many orders the careless hand draws another scene in one


class Order(NamedTuple):
    """A prompt, and the scene that it asks for."""

    name: str
    prompt: str
    layout: Layout
    scene: Scene
    errs: bool


def orders() -> Iterator[Order]:
    """Yield what is ordered, of every layout of the world."""
    for place, layout in enumerate(LAYOUTS):
        start = ORDERED_PICTURES + SEEDS_PER_LAYOUT * place
        found = distinct_captions(PER_LAYOUT, start=start, words=prompt_of, layout=layout)
        for number, (asked, text) in enumerate(found):
            yield Order(f"{layout}-{number:02d}", text, layout, asked, number % ERRS_IN == 0)


def drawn_by(hand: str, order: Order) -> Scene:
    """Return the scene that a hand draws for an order: the careless one in another manner, and at times another one."""
    if hand == CAREFUL:
        return order.scene
    other = scene(order.scene.seed + OTHERS, layout=order.layout)
    if order.errs:
        return other
    return replace(order.scene, style=other.style, background=other.background, horizon=other.horizon)


def draw_to_order(folder: Path) -> None:
    """Write the pictures of both hands and the truth; the prompts are those of ``diptych.generate.prompts.drawn``."""
    drawn, known = [], []
    for order in orders():
        for hand in (CAREFUL, CARELESS):
            shown = drawn_by(hand, order)
            picture = encoded(draw(shown, SIDE_PX), "png", 0)
            truth = asdict(truth_of(shown, SIDE_PX))
            known.append({PIXELS: pixels_sha256(decode(picture)), TRUTH: truth})
            name = f"{hand}/{order.name}.png"
            drawn.append({"file": name, "prompt_id": order.name, "model": hand, "sample": 0})
            Location.at(folder / PICTURES / name).write(picture)
    for name, records in ((f"{PICTURES}/{TABLE}", drawn), (TRUTHS, known)):
        lines = "".join(f"{json.dumps(record, sort_keys=True)}\n" for record in records)
        Location.at(folder / name).write(lines.encode())
