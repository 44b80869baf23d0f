import shutil
from pathlib import Path

import pytest
import torch
from tiny_trainings import SHIPPED_CLIP, TinyRun, with_other_weights

from diptych.demo.training import latents
from diptych.demo.training.latents import kept_examples, load_vae
from diptych.demo.training.sources import Sources
from diptych.demo.training.tokenizer import make_tokenizer
from diptych.errors import DataError


def test_kept_examples_are_made_again_where_their_sources_differ(
    tmp_path: Path, pairs: Path, vae_run: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers import AutoencoderKL

    def examples(folder: Path) -> torch.Tensor:
        model = AutoencoderKL.from_pretrained(folder, dtype=torch.float32).eval()
        hashes = Sources(pairs, folder, SHIPPED_CLIP).hashes()
        return kept_examples(tmp_path / "examples.pt", pairs, model, make_tokenizer(), hashes).latents

    other = with_other_weights(shutil.copytree(vae_run.folder, tmp_path / "vae"))
    first, second = examples(vae_run.folder), examples(other)
    assert not torch.allclose(first, second)
    assert torch.equal(examples(vae_run.folder), first)
    kept = torch.load(tmp_path / "examples.pt", weights_only=True)
    del kept["fingerprint"]
    torch.save({**kept, "latents": kept["latents"] * 0.0}, tmp_path / "examples.pt")  # as earlier versions left it
    assert torch.equal(examples(vae_run.folder), first)
    monkeypatch.setattr(latents, "encode_pairs", lambda *_: pytest.fail("was encoded again"))
    assert torch.equal(examples(vae_run.folder), first)


def test_what_is_no_autoencoder_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds a UNet2DConditionModel, not an AutoencoderKL"):
        load_vae(SHIPPED_CLIP.parent / "demo-raw" / "unet")
    with pytest.raises(DataError, match="cannot be loaded as an autoencoder") as caught:
        load_vae(tmp_path)
    assert "\n" not in str(caught.value)
