"""The first weights of the demo's autoencoder: the colour of patches and their principal components, and a way back.

An autoencoder that begins at random takes thousands of steps before small things have their colours, and the code of
the least squared error would rather keep edges than one of the three axes of colour. This one begins as a linear code
of 4 x 4 patches: their mean colour, then the principal components (Hotelling 1933) of what that leaves, all of the same
variance, so that diffusion learns them alike. The way back is a linear interpolation of the mean colours.

Every value x has a second channel -x beside it, since silu(x) - silu(-x) = x, so that the last activation lets it pass;
constant channels keep the normalisation before it from depending on the picture. The last convolution of every residual
branch begins as zero (Zhang, Dauphin and Ma 2019).
"""

from typing import Any

import torch

LATENTS = 6
COMPONENTS = 12  # that are kept up to the last layer of the encoder
CONSTANT, CONSTANTS = 8.0, slice(28, 32)
SIGNS = torch.tensor([1.0, -1.0, 1.0, -1.0])
VARIANCE = -12.0  # logarithm of the variance of the latents at first
SMOOTH = torch.tensor([0.25, 0.5, 0.25])


def begin_linear(model: Any, pixels: torch.Tensor) -> None:
    """Set the weights of an ``AutoencoderKL`` with two halvings, ``LATENTS`` channels and one group per normalisation.

    Args:
        model: Its blocks have at least 32 channels.
        pixels: uint8 (N, side, side, 3); what the components are found on.
    """
    basis, middle = patch_components(pixels)
    with torch.no_grad():
        for name, part in model.named_modules():
            if name.endswith("conv2"):
                _clear(part)
            if name.endswith("conv_shortcut"):
                _clear(part)
                part.weight[:, :, 0, 0] = torch.eye(*part.weight.shape[:2])
        _begin_encoder(model.encoder, basis, middle)
        _begin_decoder(model.decoder, basis, middle)
        for one in (model.quant_conv, model.post_quant_conv):
            _clear(one)
            one.weight[:, :, 0, 0] = torch.eye(one.weight.shape[0])


def patch_components(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the code of 4 x 4 patches, (COMPONENTS, 48) by row, column, colour, and the middle patch (48,).

    The first three components are the principal components of the mean colour, the others those of the rest; the code
    of a patch is their product with what it has beyond the middle, of standard deviation 1.
    """
    values = pixels.float() / 127.5 - 1.0
    count, side = len(values), values.shape[1] // 4
    patches = values.reshape(count, side, 4, side, 4, 3).permute(0, 1, 3, 2, 4, 5).reshape(-1, 48)
    middle = patches.mean(dim=0)
    patches = patches - middle
    means = patches.reshape(-1, 16, 3).mean(dim=1)
    rest = patches - means.repeat(1, 16)
    colours = torch.linalg.eigh(torch.cov(means.T)).eigenvectors.flip(1).T.repeat(1, 16) / 16.0
    others = torch.linalg.eigh(torch.cov(rest.T)).eigenvectors.flip(1).T[: COMPONENTS - 3]
    basis = torch.cat([colours, others])
    return basis / (patches @ basis.T).std(dim=0)[:, None], middle


def _begin_encoder(encoder: Any, basis: torch.Tensor, middle: torch.Tensor) -> None:
    first, second = (block.downsamplers[0].conv for block in encoder.down_blocks[:2])
    _clear(encoder.conv_in)
    for colour in range(3):
        _pair(encoder.conv_in.weight[:, colour, 1, 1], colour, 1.0)
    encoder.conv_in.bias[CONSTANTS] = CONSTANT * SIGNS
    _clear(first)  # the four pixels of each place, colour by colour, become twelve values
    for place in range(4):
        for colour in range(3):
            _pair(first.weight[:, 2 * colour, place // 2, place % 2], 3 * place + colour, 1.0)
    _keep_constants(first)
    _clear(second)
    weights = basis.reshape(COMPONENTS, 2, 2, 2, 2, 3)  # row of the half, row in it, column of the half, column in it
    for number in range(COMPONENTS):
        for place in range(4):
            for colour in range(3):
                for row in range(2):
                    for column in range(2):
                        weight = float(weights[number, row, place // 2, column, place % 2, colour])
                        _pair(second.weight[:, 2 * (3 * place + colour), row, column], number, weight)
        _pair(second.bias, number, -float(basis[number] @ middle))
    _keep_constants(second)
    _read(encoder.conv_out, range(LATENTS), _deviation(len(encoder.conv_norm_out.weight)))
    encoder.conv_out.bias[LATENTS:] = VARIANCE


def _begin_decoder(decoder: Any, basis: torch.Tensor, middle: torch.Tensor) -> None:
    # The mean colour by its three components; the components of the rest have none.
    colours = torch.linalg.inv(basis[:3].reshape(3, 16, 3).sum(dim=1)).T
    _clear(decoder.conv_in)
    for colour in range(3):
        for latent in range(3):
            _pair(decoder.conv_in.weight[:, latent, 1, 1], colour, float(colours[latent, colour]))
        _pair(decoder.conv_in.bias, colour, float(middle.reshape(16, 3).mean(dim=0)[colour]))
    for latent in range(LATENTS):
        _pair(decoder.conv_in.weight[:, latent, 1, 1], 3 + latent, 1.0)
    decoder.conv_in.bias[CONSTANTS] = CONSTANT * SIGNS
    for block in decoder.up_blocks[:2]:
        conv = block.upsamplers[0].conv
        _clear(conv)
        for channel in range(2 * (3 + LATENTS)):
            conv.weight[channel, channel] = torch.outer(SMOOTH, SMOOTH)
        for channel in range(CONSTANTS.start, CONSTANTS.stop):
            conv.weight[channel, channel, 1, 1] = 1.0
    _read(decoder.conv_out, range(3), _deviation(len(decoder.conv_norm_out.weight)))


def _pair(channels: torch.Tensor, number: int, weight: float) -> None:
    """Add a weight to the channel of a value, and its opposite to the channel beside it."""
    channels[2 * number] += weight
    channels[2 * number + 1] -= weight


def _keep_constants(conv: Any) -> None:
    for channel in range(CONSTANTS.start, CONSTANTS.stop):
        conv.weight[channel, channel, 0, 0] = 1.0


def _read(conv: Any, numbers: range, scale: float) -> None:
    """Let the last convolution give the values of these numbers."""
    _clear(conv)
    for number in numbers:
        conv.weight[number, 2 * number, 1, 1] = scale
        conv.weight[number, 2 * number + 1, 1, 1] = -scale


def _deviation(channels: int) -> float:
    """Return what the normalisation divides by where the values are small beside the constants."""
    return CONSTANT * float((len(SIGNS) / channels) ** 0.5)


def _clear(conv: Any) -> None:
    conv.weight.zero_()
    conv.bias.zero_()
