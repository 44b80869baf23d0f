import numpy as np
from drawn import picture

from diptych.data import images
from diptych.encoders.projection import ProjectionEncoder
from diptych.scores.loading import LoadedImage, Needs, load_image

PIXELS = Needs(pixels=True)


def test_a_row_is_loaded_as_far_as_it_is_needed() -> None:
    model = ProjectionEncoder(8, 0)
    assert load_image(picture(0), "ok", Needs()) == LoadedImage(None, {}, None)
    assert load_image(picture(0), "ok", PIXELS).image is not None
    prepared = load_image(picture(0), "ok", Needs(encoders={"own": model})).prepared
    assert np.array_equal(prepared[id(model)], model.prepare(images.decode(picture(0))))
    assert load_image(picture(0), "not_found", PIXELS).reason == "not_found"
    assert load_image(None, "ok", PIXELS).reason == "no_image"
    assert load_image(b"", "ok", PIXELS).reason == "empty"
