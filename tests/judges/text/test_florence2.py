"""Florence-2 through the product's own path: a tiny one of random weights, saved and loaded again."""

import math
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from noise import noise
from PIL import Image
from tiny_readers import save_florence2

from diptych.judges import make_judge
from diptych.judges.contract import TextLine
from diptych.judges.text.florence2 import TASK, Florence2
from diptych.judges.text.spoken import Spoken, Utterance

OPEN = ("<loc_100>", "<loc_500>", "<loc_400>", "<loc_500>", "<loc_400>", "<loc_600>", "<loc_100>", "<loc_600>")
STOP = ("<loc_0>", "<loc_0>", "<loc_999>", "<loc_0>", "<loc_999>", "<loc_99>", "<loc_0>", "<loc_99>")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return save_florence2(tmp_path_factory.mktemp("florence2"))


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diptych.judges.text.florence2.MOST_TOKENS", 20)


def made(folder: Path, **options: Any) -> Florence2:
    judge = make_judge("florence2", {"weights": str(folder), **options})
    assert isinstance(judge, Florence2)
    return judge


def pictures() -> list[Image.Image]:
    return noise((40, 30), (200, 100), (64, 64), (40, 30), (33, 90))


def saying(judge: Florence2, *tokens: str, probability: float = 0.5) -> list[Spoken]:
    ids = judge._processor.tokenizer.convert_tokens_to_ids(list(tokens))
    return [Spoken(token, math.log(probability)) for token in ids]


def read(
    judge: Florence2,
    monkeypatch: pytest.MonkeyPatch,
    said: Sequence[Spoken],
    size: tuple[int, int],
    is_cut: bool = False,
) -> Any:
    monkeypatch.setattr(Florence2, "_spoken", lambda judge, given: [Utterance(list(said), is_cut) for _ in given])
    return judge.text([Image.new("RGB", size)])[0]


def test_lines_are_those_with_a_place_in_reading_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = made(folder)
    said = [*saying(judge, "open", *OPEN), *saying(judge, "stop", "text", *STOP, probability=0.25)]
    first, second = read(judge, monkeypatch, said, (200, 100))
    assert (first.text.split(), second.text) == (["stop", "text"], "open")
    assert second.corners == (20, 50, 80, 60)
    assert first.corners == (0, 0, 199, 9)
    assert (second.confidence, first.confidence) == (pytest.approx(0.5), pytest.approx(0.25))


@pytest.mark.parametrize("tokens", [(), ("open",), ("open", *OPEN[:7]), OPEN, ("open", *OPEN[:4], "stop", *OPEN[4:])])
def test_what_has_no_whole_place_is_no_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tokens: tuple[str, ...]
) -> None:
    judge = made(folder)
    assert read(judge, monkeypatch, saying(judge, *tokens), (200, 100)) == []


def test_what_was_cut_off_ends_with_an_empty_line_that_is_cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = made(folder)
    first, last = read(judge, monkeypatch, saying(judge, "open", *OPEN, "stop", OPEN[0]), (200, 100), is_cut=True)
    assert (first.text, first.is_cut) == ("open", False)
    assert last == TextLine("", 1.0, (0, 0, 200, 100), is_cut=True)


@pytest.mark.reference
def test_words_are_those_of_the_library_called_by_hand(folder: Path) -> None:
    judge, picture = made(folder), pictures()[1]
    processor = transformers.Florence2Processor.from_pretrained(folder, backend="pil")
    network = transformers.Florence2ForConditionalGeneration.from_pretrained(folder).eval()
    given = processor(text=TASK, images=picture, return_tensors="pt")
    said = network.generate(**given, max_new_tokens=20, num_beams=1, do_sample=False)
    special = {0, 1, 2}
    (spoken,) = judge._spoken([given])
    assert [one.token for one in spoken.tokens] == [token for token in said[0].tolist() if token not in special]
    assert spoken.tokens
    assert not any(line.text for found in judge.text(pictures()) for line in found or ()), "random weights place none"


def test_no_neighbour_changes_what_is_said(folder: Path) -> None:
    judge = made(folder)
    given = [judge._processor(text=TASK, images=picture, return_tensors="pt") for picture in pictures()]
    for found, one in zip(judge._spoken(given), given, strict=True):
        (alone,) = judge._spoken([one])
        assert [token for token, _ in found.tokens] == [token for token, _ in alone.tokens]
        assert found.is_cut == alone.is_cut
        np.testing.assert_allclose([log for _, log in found.tokens], [log for _, log in alone.tokens], atol=1e-4)


def test_identity_says_no_place_and_follows_from_what_decides_a_line(tmp_path: Path) -> None:
    first, same, other = (save_florence2(tmp_path / name, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    identities = [made(folder).identity for folder in (first, same, other)]
    assert identities[0] == identities[1] != identities[2]
    again = pickle.loads(pickle.dumps(made(first)))
    assert again.identity == identities[0]
    assert "_network" not in vars(again)
    (half,) = made(first, precision="bf16").text(pictures()[:1])
    assert half is not None
    assert not any(line.text for line in half)
