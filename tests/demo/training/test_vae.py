from dataclasses import replace
from pathlib import Path

import torch
from tiny_trainings import VAE, TinyRun


def test_decoder_alone_learns_once_the_encoder_is_fixed(tmp_path: Path, vae_run: TinyRun) -> None:
    from diffusers import AutoencoderKL

    short = vae_run.train(vae_run.sharing(tmp_path / "short"), replace(VAE, decoder_steps=0))
    before, after = (AutoencoderKL.from_pretrained(folder).state_dict() for folder in (short, vae_run.folder))
    changed = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {"decoder", "post_quant_conv"}
    assert before["encoder.conv_in.weight"].isfinite().all()
