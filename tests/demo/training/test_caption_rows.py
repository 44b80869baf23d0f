import numpy as np
import torch
from tiny_trainings import TinyRun

from diptych.demo.training.caption_rows import FAULT_WEIGHTS, SIZES_PX, CaptionRows
from diptych.demo.training.pictures import scaled
from diptych.demo.world.seeds import CLIP_ROWS
from diptych.demo.world.specimens import specimen
from diptych.encoders.open_clip import open_clip_encoder


def test_training_sees_pictures_as_the_product_prepares_them(clip_run: TinyRun, captioned: CaptionRows) -> None:
    encoder = open_clip_encoder(architecture=str(clip_run.folder), device="cpu")
    seen = scaled(torch.from_numpy(captioned.pixels[:20])).numpy()
    for number in range(20):
        one = specimen(CLIP_ROWS + number, FAULT_WEIGHTS, SIZES_PX)
        np.testing.assert_allclose(seen[number], encoder.prepare(one.image), atol=1e-6)
        assert captioned.flagged[number] == (one.fault == "flagged")
