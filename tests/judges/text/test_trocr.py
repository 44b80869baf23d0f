"""TrOCR through the product's own path: a tiny one of random weights, saved and loaded again."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from noise import noise
from PIL import Image
from tiny_readers import save_trocr
from written import written

from diptych.errors import ConfigError, DataError
from diptych.judges import make_judge
from diptych.judges.contract import TextLine
from diptych.judges.text.spoken import Utterance, spoken_of
from diptych.judges.text.trocr import Trocr

SIZES = ((40, 30), (200, 20), (40, 30), (64, 64), (33, 90))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return save_trocr(tmp_path_factory.mktemp("trocr"))


def made(folder: Path, **options: Any) -> Trocr:
    judge = make_judge("trocr", {"weights": str(folder), **options})
    assert isinstance(judge, Trocr)
    return judge


def pictures() -> list[Image.Image]:
    return noise(*SIZES)


def test_whole_picture_is_read_as_one_line(folder: Path) -> None:
    every = made(folder).text(pictures())
    assert sum(map(len, filter(None, every))) >= 3, "random weights may say nothing"
    for found, (width, height) in zip(every, SIZES, strict=True):
        assert found is not None
        assert len(found) <= 1
        for line in found:
            assert line.text
            assert line.corners == (0, 0, width, height)
            assert 0 < line.confidence < 1


@pytest.mark.reference
def test_line_is_that_of_the_library_called_by_hand(folder: Path) -> None:
    picture = pictures()[1]
    processor = transformers.TrOCRProcessor.from_pretrained(folder, backend="pil")
    network = transformers.VisionEncoderDecoderModel.from_pretrained(folder).eval()
    pixels = processor(images=picture, return_tensors="pt").pixel_values
    said = network.generate(
        pixels, do_sample=False, max_new_tokens=64, output_scores=True, return_dict_in_generate=True
    )
    logs = network.compute_transition_scores(said.sequences, said.scores, normalize_logits=True)[0]
    chosen = logs[: int((said.sequences[0, 1:] != 2).sum())]
    (found,) = made(folder).text([picture])
    assert found is not None
    assert found[0].text == processor.batch_decode(said.sequences, skip_special_tokens=True)[0].strip()
    assert found[0].confidence == pytest.approx(float(chosen.mean().exp()), abs=1e-5)


def test_no_neighbour_changes_what_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = made(folder)
    together = judge.text(pictures())
    monkeypatch.setattr("diptych.judges.text.trocr.CHUNK", 1)
    for found, again in zip(together, judge.text(pictures()), strict=True):
        assert found is not None
        assert again is not None
        assert [line.text for line in found] == [line.text for line in again]
        assert [line.confidence for line in found] == pytest.approx([line.confidence for line in again], abs=1e-5)


def test_what_ends_early_is_not_filled_up() -> None:
    """Two pictures, of which the first ends after one token: what stands behind its end is not of it."""

    class Says:
        generation_config = transformers.GenerationConfig(eos_token_id=2, pad_token_id=1, bos_token_id=0)

        def generate(self, **given: Any) -> Any:
            assert given["num_beams"] == 1
            scores = torch.log(torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.25, 0.75]]))
            sequences = torch.tensor([[9, 3, 2, 1], [9, 3, 3, 3]])
            return transformers.generation.GenerateEncoderDecoderOutput(sequences=sequences, scores=(scores,) * 3)

    first, second = spoken_of(Says(), {}, 3)
    assert [one.token for one in first.tokens] == [3]
    assert [one.token for one in second.tokens] == [3, 3, 3]
    assert (first.is_cut, second.is_cut) == (False, True)
    assert first.tokens[0].log_probability == pytest.approx(np.log(0.5))
    assert second.tokens[2].log_probability == pytest.approx(np.log(0.75))


def test_lines_are_read_where_rapidocr_finds_them(folder: Path) -> None:
    judge = made(folder, lines="rapidocr")
    found, empty = judge.text([written(["Number one", "and another"]), Image.new("RGB", (64, 64))])
    assert empty == []
    assert found is not None
    assert judge.finder is not None
    (lines,) = judge.finder.text([written(["Number one", "and another"])])
    assert lines is not None
    assert [line.corners for line in found] == [line.corners for line in lines]
    assert len(found) == 2
    assert judge.text([Image.new("RGB", (2000, 3))]) == [None]
    assert judge.identity["lines"] == dict(judge.finder.identity)
    assert made(folder).identity["lines"] == "whole"


def test_line_of_spaces_alone_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trocr, "_spoken", lambda judge, pixels: [Utterance([], False) for _ in pixels])
    assert made(folder).text(pictures()[:2]) == [[], []]


def test_line_that_was_cut_off_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diptych.judges.text.trocr.MOST_TOKENS", 1)
    every = [line for found in made(folder).text(pictures()) for line in found or ()]
    assert every
    assert all(line.is_cut for line in every)


def test_identity_says_no_place_and_follows_from_what_decides_a_line(tmp_path: Path) -> None:
    first, same, other = (save_trocr(tmp_path / name, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    identities = [made(folder).identity for folder in (first, same, other)]
    assert identities[0] == identities[1] != identities[2]
    assert made(first, precision="bf16").identity != identities[0]
    again = pickle.loads(pickle.dumps(made(first)))
    assert again.identity == identities[0]
    assert "_network" not in vars(again)


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precision_begins_alike(folder: Path, precision: str) -> None:
    full, half = (made(folder, precision=one).text(pictures()[:1])[0] for one in ("fp32", precision))
    assert full
    assert half
    assert isinstance(half[0], TextLine)
    assert half[0].text.split()[0] == full[0].text.split()[0]


def test_folder_of_another_kind_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="judge 'trocr': weights: no folder 'nowhere'"):
        made(Path("nowhere"))
    network = folder / "model.safetensors"
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes(network.read_bytes())
    with pytest.raises(DataError, match=r"judge 'trocr': weights: .* does not load with transformers' TrOCRProcessor"):
        made(tmp_path).text(pictures()[:1])
