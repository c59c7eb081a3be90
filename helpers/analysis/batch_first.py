"""What PyTorch's Transformer layers compute when they are told the wrong order of axes.

`torch.nn.TransformerEncoderLayer` expects tokens [T, B, D] unless it is built with
`batch_first=True`. Tokens [B, T, D] fit as well, and give outputs of the right shape: only that
each image then attends to the other images of the batch, and not to its own patches.
"""

import torch
from torch import nn


def encoder(batch_first, width=32, heads=4):
    """Return one of PyTorch's encoder layers, always with the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.TransformerEncoderLayer(
            width, heads, dim_feedforward=64, dropout=0.0, batch_first=batch_first
        ).eval()


@torch.no_grad()
def influence(layer, batch=4, length=5, seed=0):
    """Measure which inputs decide a layer's output for the first token of the first image.

    Parameters
    ----------
    layer : callable
        Maps tokens [B, T, D] to tokens [B, T, D]; D is 32.
    batch, length : int
        B and T.
    seed : int
        Of the tokens, and of those that replace them.

    Returns
    -------
    ndarray [B, T]
        Largest change of that output when one token of one image is replaced.
    """
    rng = torch.Generator().manual_seed(seed)
    tokens, others = torch.randn(2, batch, length, 32, generator=rng)
    before = layer(tokens)[0, 0]
    change = torch.zeros(batch, length)
    for image in range(batch):
        for place in range(length):
            changed = tokens.clone()
            changed[image, place] = others[image, place]
            change[image, place] = (layer(changed)[0, 0] - before).abs().max()
    return change.numpy()
