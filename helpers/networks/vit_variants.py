"""The ViT with one or more of its parts changed: for the study of √d, and as the original's."""

import math

import torch
from torch.nn import functional

from helpers.networks.mlp import choose
from helpers.networks.vit import EncoderLayer, ViT, square_patches


def flattened_patches(images, patch):
    """Cut images into runs of consecutive pixels: what a plain `reshape` gives.

    The shapes are those of `square_patches`, and that is all they have in common: a 7×7
    "patch" of a 28×28 image is a strip of 49 pixels, one row and three quarters. The
    original course cut its images so, by mistake.
    """
    batch, channels = images.shape[:2]
    return images.reshape(batch, -1, channels * patch**2)  # [B, N, C p p]


PATCHINGS = {"squares": square_patches, "flattened": flattened_patches}
POOLS = {"class": 0, "last": -1}
ACTIVATIONS = {"gelu": functional.gelu, "relu": torch.relu}


class VariantLayer(EncoderLayer):
    """An `EncoderLayer` whose `activation` and `normalised_shortcut` can be set."""

    activation, normalised_shortcut = staticmethod(functional.gelu), False

    def forward(self, tokens):
        """Map tokens [B, T, D] to tokens [B, T, D]."""
        normal = self.norm1(tokens)
        start = normal if self.normalised_shortcut else tokens
        tokens = start + self.dropout(self.attention(normal))
        normal = self.norm2(tokens)
        start = normal if self.normalised_shortcut else tokens
        hidden = self.dropout(self.activation(self.fc1(normal)))  # [B, T, hidden]
        return start + self.dropout(self.fc2(hidden))


class ViTVariant(ViT):
    """A ViT that starts from the same weights and differs where it is told to.

    Parameters
    ----------
    scaled : whether the scores are divided by sqrt(d) before the softmax.
    score_scale : factor of the scores at the start, by larger queries' and keys' weights.
    activation : of the MLPs, a key of `ACTIVATIONS`.
    patching : how the image becomes patches, "squares" or "flattened".
    pool : the token from which the class is read: "class", or the "last" patch's.
    normalised_shortcut : let the residual branch start after the LayerNorm instead of before it.
    **plain : as for `ViT`.

    The original course had flattened patches, the last token and the normalised shortcut.
    """

    layer = VariantLayer

    def __init__(
        self, scaled=True, score_scale=1.0, activation="gelu", patching="squares", pool="class",
        normalised_shortcut=False, **plain,
    ):  # fmt: skip
        super().__init__(**plain)
        self.patching = choose(PATCHINGS, patching, "patching")
        self.pool = choose(POOLS, pool, "pool")
        for layer in self.layers:
            layer.activation = choose(ACTIVATIONS, activation, "activation")
            layer.normalised_shortcut = normalised_shortcut
            if not scaled:
                layer.attention.scale = 1.0
            for part in layer.attention.qkv.parameters():
                for rows in part.data.chunk(3)[:2]:  # of the queries and of the keys
                    rows *= math.sqrt(score_scale)
