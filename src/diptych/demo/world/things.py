"""The kinds of things: what draws each, how much room it takes and whether it may tilt.

To add one: a function beside its like, a line here (alphabetical), its words in ``words``. Decides no colour (``main``
is the colour that the caption names), no place and no style.
"""

from diptych.demo.world import living_things, made_things, plain_shapes
from diptych.demo.world.parts import Kind

KINDS: dict[str, Kind] = {
    "apple": Kind(living_things.apple, 0.88, 0.9, (0.0, 0.0), True),
    "balloon": Kind(made_things.balloon, 0.6, 0.99, (0.0, 0.01), True),
    "bird": Kind(living_things.bird, 0.98, 0.84, (0.0, 0.07)),
    "boat": Kind(made_things.boat, 0.97, 0.9, (0.0, -0.02), True),
    "butterfly": Kind(living_things.butterfly, 0.96, 0.8, (0.0, -0.02), True),
    "car": Kind(made_things.car, 0.96, 0.54, (0.0, 0.06)),
    "cat": Kind(living_things.cat, 0.74, 0.97, (0.14, 0.0)),
    "circle": Kind(plain_shapes.disc, 0.9, 0.9, (0.0, 0.0)),
    "cup": Kind(made_things.cup, 0.82, 0.72, (0.08, 0.07)),
    "fish": Kind(living_things.fish, 0.95, 0.58, (-0.01, -0.09), True),
    "flower": Kind(living_things.flower, 0.67, 1.01, (0.0, -0.02), True),
    "heart": Kind(plain_shapes.heart, 0.94, 0.84, (0.0, 0.04), True),
    "house": Kind(made_things.house, 0.93, 0.91, (0.0, 0.0)),
    "kite": Kind(made_things.kite, 0.6, 0.95, (0.0, 0.01), True),
    "mushroom": Kind(living_things.mushroom, 0.9, 0.86, (0.0, 0.02)),
    "square": Kind(plain_shapes.square, 0.82, 0.82, (0.0, 0.0), True),
    "star": Kind(plain_shapes.star, 0.91, 0.89, (0.0, -0.06), True),
    "tree": Kind(living_things.tree, 0.8, 0.92, (0.0, 0.0)),
    "triangle": Kind(plain_shapes.triangle, 0.92, 0.8, (0.0, -0.02)),
    "umbrella": Kind(made_things.umbrella, 0.94, 0.92, (0.0, 0.01), True),
}
