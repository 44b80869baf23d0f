"""ImageReward from a tiny checkpoint with the published keys, against its formulas by hand."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_dataset import Row, good_rows, make_table, mixed_rows
from tiny_image_reward import SIDE, WORDS, checkpoint, reward_by_hand, save_image_reward
from torchvision import transforms

from diptych.data.images import decode
from diptych.errors import ConfigError, DataError
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.image_reward import PIXEL_DEVIATION, PIXEL_MEAN, ImageReward


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    torch.set_num_threads(1)
    return save_image_reward(tmp_path_factory.mktemp("reward"))


def made(options: dict[str, str]) -> ImageReward:
    score = make_score("image_reward", options)
    assert isinstance(score, ImageReward)
    return score


def batch_of(rows: list[Row]) -> Batch:
    return Batch(make_table(rows).to_batches()[0])


@pytest.mark.reference
def test_reward_is_that_of_the_formulas_by_hand(options: dict[str, str]) -> None:
    rows = [
        Row(row.data, caption) for row, caption in zip(good_rows(3), ("a cat", "blobs number 2", "2 Cats"), strict=True)
    ]
    found = made(options).score(batch_of(rows))["image_reward"]
    prepare = transforms.Compose(
        [
            transforms.Resize(SIDE, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(SIDE),
            transforms.ToTensor(),
            transforms.Normalize(PIXEL_MEAN, PIXEL_DEVIATION),
        ]
    )
    said = (
        ("[CLS]", "a", "cat", "[SEP]"),
        ("[CLS]", "blobs", "number", "2", "[SEP]"),
        ("[CLS]", "2", "cat", "##s", "[SEP]"),
    )
    for value, row, tokens in zip(found, rows, said, strict=True):
        assert row.data is not None
        ids = [WORDS.index(token) for token in tokens]
        assert value == pytest.approx(reward_by_hand(checkpoint(), prepare(decode(row.data)), ids), abs=1e-4)
    assert len(set(found.tolist())) == 3


def test_row_without_image_or_caption_has_none_and_a_long_prompt_is_said_to_be_cut(options: dict[str, str]) -> None:
    rows = [*mixed_rows(), Row(good_rows(1)[0].data, "cat " * 33), Row(good_rows(1)[0].data, "cat " * 34)]
    found = made(options).score(batch_of(rows))
    without = [row.data is None or row.caption is None or row.status != "ok" for row in rows]
    assert all(np.isnan(found["image_reward"][np.array(without)]))
    assert not np.isnan(found["image_reward"][-2:]).any()
    assert found["caption_truncated"].tolist()[-2:] == [False, True]
    nothing = [None if row.caption is not None else "no_caption" for row in rows]
    assert found["reason"].tolist() == nothing


def test_no_neighbour_changes_a_reward(options: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = good_rows(5)
    together = made(options).score(batch_of(rows))["image_reward"]
    monkeypatch.setattr("diptych.scores.image_reward.CHUNK", 1)
    np.testing.assert_allclose(made(options).score(batch_of(rows))["image_reward"], together, atol=1e-5)


def test_identity_is_that_of_the_files_and_nothing_is_loaded_for_it(options: dict[str, str], tmp_path: Path) -> None:
    again = pickle.loads(pickle.dumps(made(options)))
    assert again.identity == made(save_image_reward(tmp_path / "same")).identity
    assert "_network" not in vars(again)
    assert made(save_image_reward(tmp_path / "other", seed=1)).identity != again.identity


def test_files_of_another_kind_are_refused(options: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"score 'image_reward': vocabulary: no file 'nowhere\.txt'"):
        made({**options, "vocabulary": "nowhere.txt"})
    (tmp_path / "text.pt").write_text("no weights", "utf-8")
    torch.save({"mlp.layers.0.weight": torch.zeros(1, 1)}, tmp_path / "head.pt")
    state = checkpoint()
    del state["blip.text_encoder.encoder.layer.1.crossattention.self.key.bias"]
    torch.save(state, tmp_path / "part.pt")
    for name in ("text.pt", "head.pt", "part.pt"):
        with pytest.raises(DataError, match=rf"{name}: is no checkpoint of ImageReward: "):
            made({**options, "weights": str(tmp_path / name)}).score(batch_of(good_rows(1)))
    (tmp_path / "vocab.txt").write_text("\n".join([*WORDS, *(f"word{number}" for number in range(9))]), "utf-8")
    with pytest.raises(
        DataError, match=r"vocab\.txt: has 22 words, and .*ImageReward\.pt knows 15; give the vocab\.txt"
    ):
        made({**options, "vocabulary": str(tmp_path / "vocab.txt")}).score(batch_of(good_rows(1)))


def test_strip_is_scored_as_any_picture(options: dict[str, str]) -> None:
    network = made(options)
    assert network._rewards([Image.new("RGB", (200, 3))], ["a cat"]).shape == (1,)
