import numpy as np
import torch

from diptych.demo.training import linear_start, vae
from diptych.demo.training.pictures import scaled
from diptych.demo.world.drawing import draw
from diptych.demo.world.scenes import scene


def test_autoencoder_begins_as_the_linear_code_and_keeps_colours() -> None:
    from diffusers import AutoencoderKL

    pixels = torch.from_numpy(np.stack([draw(scene(seed)) for seed in range(48)]))
    model = AutoencoderKL(**vae.default_model()).eval()
    linear_start.begin_linear(model, pixels)
    basis, middle = linear_start.patch_components(pixels)
    with torch.inference_mode():
        latents = model.encode(scaled(pixels)).latent_dist.mode()
        drawn = model.decode(latents).sample
    patches = scaled(pixels).permute(0, 2, 3, 1).reshape(48, 16, 4, 16, 4, 3).permute(0, 1, 3, 2, 4, 5)
    code = ((patches.reshape(-1, 48) - middle) @ basis.T)[:, : linear_start.LATENTS]
    found = latents.permute(0, 2, 3, 1).reshape(-1, linear_start.LATENTS)
    for number in range(linear_start.LATENTS):
        assert np.corrcoef(code[:, number], found[:, number])[0, 1] > 0.99
    shrunk = [torch.nn.functional.avg_pool2d(some, 16) for some in (drawn, scaled(pixels))]
    assert np.corrcoef(shrunk[0].flatten(), shrunk[1].flatten())[0, 1] > 0.95
