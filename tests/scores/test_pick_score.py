"""PickScore over a tiny CLIP of transformers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_dataset import make_table, mixed_rows
from tiny_pick import SCALE, save_transformers_clip

from diptych.encoders import make_encoder
from diptych.errors import ConfigError
from diptych.scores import make_score
from diptych.scores.batches import Batch


def test_score_is_the_scale_of_the_network_times_the_cosine(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    encoder = make_encoder("transformers_clip", {"weights": str(save_transformers_clip(tmp_path))})
    batch = Batch(make_table(mixed_rows()).to_batches()[0])
    cosines = make_score("clip_similarity", {"encoder": encoder}).score(batch)
    score = make_score("pick_score", {"encoder": encoder})
    found = score.score(batch)
    np.testing.assert_allclose(found["pick_score"], SCALE * cosines["clip_similarity"], rtol=1e-5)
    assert np.isnan(found["pick_score"]).any()
    assert not np.isnan(found["pick_score"]).all()
    assert found["caption_truncated"].tolist() == cosines["caption_truncated"].tolist()
    assert True in found["caption_truncated"].tolist()
    assert found["reason"].tolist() == cosines["reason"].tolist()
    assert score.identity["encoder"] == dict(encoder.identity)


def test_encoder_without_a_scale_is_refused() -> None:
    with pytest.raises(
        ConfigError, match="score 'pick_score': the encoder 'projection' has no scale; give one of kind"
    ):
        make_score("pick_score", {"encoder": make_encoder("projection", {})})
