"""CLIP-IQA over an encoder without weights, against torchmetrics on the same vectors."""

import numpy as np
import pytest
import torch
from tiny_dataset import good_rows, make_table, mixed_rows
from torchmetrics.functional.multimodal import clip_iqa as theirs

from diptych.encoders import make_encoder
from diptych.errors import ConfigError
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.clip_iqa import TEXTS, ClipIqa

ENCODER = make_encoder("projection", {"dim": 16})


def made(*aspects: str) -> ClipIqa:
    score = make_score("clip_iqa", {"encoder": ENCODER, "aspects": list(aspects)} if aspects else {"encoder": ENCODER})
    assert isinstance(score, ClipIqa)
    return score


@pytest.mark.reference
def test_probabilities_of_all_aspects_are_those_of_torchmetrics_on_the_same_vectors() -> None:
    batch = Batch(make_table(good_rows(4)).to_batches()[0])
    texts, names = theirs._clip_iqa_format_prompts(tuple(TEXTS))
    vectors, anchors = batch.embeddings(ENCODER), ENCODER.texts(texts)
    units = [torch.from_numpy(one / np.linalg.norm(one, axis=1, keepdims=True)) for one in (vectors, anchors)]
    expected = theirs._clip_iqa_compute(*units, names)
    found = made(*TEXTS).score(batch)
    assert sorted(found) == sorted(f"clip_iqa_{name}" for name in names)
    for name in names:
        np.testing.assert_allclose(found[f"clip_iqa_{name}"], expected[name].numpy(), atol=2e-5)
    assert np.ptp(found["clip_iqa_quality"]) > 0.01


def test_row_without_an_image_has_no_probability() -> None:
    found = made().score(Batch(make_table(mixed_rows()).to_batches()[0]))["clip_iqa_quality"]
    assert np.isnan(found).any()
    assert ((found >= 0) & (found <= 1))[~np.isnan(found)].all()


def test_more_is_better_of_quality_and_beauty_alone() -> None:
    better = {column.name for column in made(*TEXTS).columns if column.better_for_models == "higher"}
    assert better == {"clip_iqa_quality", "clip_iqa_beautiful"}


def test_identity_is_that_of_the_texts_and_the_encoder() -> None:
    assert made().identity == made("quality").identity != made("happy").identity
    assert made().identity["encoder"] == dict(ENCODER.identity)


def test_unknown_aspect_is_named_beside_those_that_are_known() -> None:
    with pytest.raises(ConfigError, match="score 'clip_iqa': unknown aspect 'qualitty'; did you mean 'quality'"):
        made("qualitty")
    for aspects in ([], ["quality", "quality"]):
        with pytest.raises(ConfigError, match="score 'clip_iqa': aspects are one or more different ones, not"):
            make_score("clip_iqa", {"encoder": ENCODER, "aspects": aspects})
