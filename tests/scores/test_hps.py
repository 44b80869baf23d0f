"""HPS over a tiny CLIP that is prepared and read as the published checkpoints are."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_clip import save_clip
from tiny_dataset import make_table, mixed_rows

from diptych.encoders import Encoder, make_encoder
from diptych.errors import ConfigError
from diptych.scores import make_score
from diptych.scores.batches import Batch


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    torch.set_num_threads(1)
    return longest(save_clip(tmp_path_factory.mktemp("clip") / "folder"))


def longest(folder: Path) -> Encoder:
    return make_encoder("open_clip", {"architecture": str(folder), "preprocess": {"resize_mode": "longest"}})


def batch() -> Batch:
    return Batch(make_table(mixed_rows()).to_batches()[0])


def test_score_is_a_hundred_times_the_cosine_under_the_name_of_its_version(encoder: Encoder) -> None:
    cosines = make_score("clip_similarity", {"encoder": encoder}).score(batch())
    for version, name in (("v2", "hps_v2"), ("v2.1", "hps_v2_1")):
        score = make_score("hps", {"encoder": encoder, "version": version})
        found = score.score(batch())
        np.testing.assert_allclose(found[name], 100 * cosines["clip_similarity"], rtol=1e-6)
        assert found["caption_truncated"].tolist() == cosines["caption_truncated"].tolist()
        assert found["reason"].tolist() == cosines["reason"].tolist()
        assert [column.name for column in score.columns] == [name, "caption_truncated"]


@pytest.mark.reference
def test_checkpoint_as_it_is_published_scores_as_their_code_does(tmp_path: Path) -> None:
    """Their file is a state dict under a key, their picture scaled by its long side and padded with black."""
    import open_clip
    from PIL import Image, ImageOps

    torch.manual_seed(5)
    network = open_clip.create_model("RN50", precision="fp32").eval()
    torch.save({"state_dict": network.state_dict()}, tmp_path / "HPS_v2.1.pt")
    options = {"pretrained": str(tmp_path / "HPS_v2.1.pt"), "preprocess": {"resize_mode": "longest"}}
    tuned = make_encoder("open_clip", {"architecture": "RN50", **options})
    pixels = np.random.default_rng(3).integers(0, 256, (60, 120, 3), np.uint8)
    picture = Image.fromarray(pixels)
    padded = ImageOps.pad(picture.resize((224, 112), Image.Resampling.BICUBIC), (224, 224), color=0)
    prepared = open_clip.image_transform(224, is_train=False)(padded)
    with torch.inference_mode():
        image, text, _ = network(prepared[None], open_clip.get_tokenizer("RN50")(["a cat"]))
    found = tuned.images([tuned.prepare(picture)])[0] @ tuned.texts(["a cat"])[0]
    assert found == pytest.approx(float((image @ text.T)[0, 0]), abs=1e-5)


def test_encoder_that_cuts_pictures_is_refused(tmp_path: Path) -> None:
    shortest = make_encoder("open_clip", {"architecture": str(save_clip(tmp_path / "folder"))})
    for other in (shortest, make_encoder("projection", {})):
        with pytest.raises(ConfigError, match="score 'hps': its encoder pads pictures to a square, and this one has"):
            make_score("hps", {"encoder": other, "version": "v2"})


def test_identity_says_which_version_and_which_encoder(encoder: Encoder, tmp_path: Path) -> None:
    first, other = (make_score("hps", {"encoder": encoder, "version": version}) for version in ("v2", "v2.1"))
    assert first.identity != other.identity
    assert first.identity["encoder"] == dict(encoder.identity)
    assert (
        make_score("hps", {"encoder": longest(save_clip(tmp_path / "b", 1)), "version": "v2"}).identity
        != first.identity
    )
