from pathlib import Path

import numpy as np
import pytest

import diptych.demo
from diptych.demo.measure import embedding
from diptych.demo.measure.embedding import embed
from diptych.demo.world.specimens import specimen
from diptych.encoders.open_clip import open_clip_encoder

MODELS = Path(diptych.demo.__file__).parent / "models"


def test_embedding_a_picture_does_not_depend_on_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = open_clip_encoder(architecture=str(MODELS / "clip"), device="cpu")
    pictures = [specimen(seed, {"": 1}).image for seed in range(5)]
    together = embed(encoder, pictures)
    monkeypatch.setattr(embedding, "CHUNK", 2)
    np.testing.assert_allclose(embed(encoder, pictures), together, atol=2e-3)
