"""ViT: the image as a sequence of patches, each of which may look at every other."""

import math

import torch
from torch import nn
from torch.nn import functional

from helpers.networks.dropout import Dropout


def square_patches(images, patch):
    """Cut images into squares.

    Parameters
    ----------
    images : tensor [B, C, H, W]
    patch : int
        Side p of a square; it must divide H and W.

    Returns
    -------
    tensor [B, N, C p p]
        Row by row, from the top left.
    """
    batch, channels, height, width = images.shape
    squares = images.reshape(batch, channels, height // patch, patch, width // patch, patch)
    squares = squares.permute(0, 2, 4, 1, 3, 5)  # [B, H/p, W/p, C, p, p]
    return squares.reshape(batch, -1, channels * patch**2)


def strip_patches(images, patch):
    """Cut images into runs of consecutive pixels: what a plain `reshape` gives.

    The shapes are those of `square_patches`, and that is all they have in common: a 7×7
    "patch" of a 28×28 image is a strip of 49 pixels, one row and three quarters. The
    original course cut its images so, by mistake.
    """
    batch, channels = images.shape[:2]
    return images.reshape(batch, -1, channels * patch**2)  # [B, N, C p p]


CUTS = {"squares": square_patches, "strips": strip_patches}


class Attention(nn.Module):
    """Multi-head self-attention.

    Parameters
    ----------
    width : int
        D, of a token.
    heads : int
        h; it must divide the width, and each head works on d = D/h numbers.
    scaled : bool
        Whether the scores are divided by sqrt(d) before the softmax.
    dropout : float
        Share of the attention weights that is dropped in training.

    References
    ----------
    Vaswani et al. (2017), "Attention is all you need", NeurIPS, section 3.2.
    """

    def __init__(self, width, heads, scaled=True, dropout=0.0):
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self.heads, self.scale = heads, 1 / math.sqrt(width // heads) if scaled else 1.0
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    @torch.no_grad()
    def enlarge_scores(self, factor):
        """Multiply the scores by a factor, half of it in the queries and half in the keys."""
        both = slice(2 * self.output.in_features)  # rows of the queries, then of the keys
        self.queries_keys_values.weight[both] *= math.sqrt(factor)
        self.queries_keys_values.bias[both] *= math.sqrt(factor)

    def scores(self, tokens):
        """Return the attention scores [B, h, T, T] before the softmax, and values [B, h, T, d]."""
        batch, length, width = tokens.shape
        projected = self.queries_keys_values(tokens)  # [B, T, 3 D]
        split = projected.reshape(batch, length, 3, self.heads, width // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)  # each [B, h, T, d]
        return queries @ keys.transpose(-2, -1) * self.scale, values

    def forward(self, tokens):
        """Let every token [B, T, D] take in from every other token of its own image."""
        scores, values = self.scores(tokens)
        weights = self.dropout(scores.softmax(dim=-1))  # [B, h, T, T], rows sum to 1
        mixed = (weights @ values).transpose(1, 2).flatten(start_dim=2)  # [B, T, D]
        return self.output(mixed)


class EncoderLayer(nn.Module):
    """Attention, then a small network on each token by itself, each around a shortcut.

    Parameters
    ----------
    width, heads, scaled, dropout
        As in `Attention`.
    hidden : int
        Units of the token's network.
    activation : {"gelu", "relu"}
    normalised_shortcut : bool
        Let the shortcut start behind the normalisation, as the original course did, instead
        of before it.
    """

    def __init__(
        self, width, heads, hidden, activation="gelu", scaled=True, dropout=0.0,
        normalised_shortcut=False,
    ):  # fmt: skip
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, scaled, dropout)
        self.expand, self.contract = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.activation = {"gelu": functional.gelu, "relu": functional.relu}[activation]
        self.dropout = Dropout(dropout)
        self.normalised_shortcut = normalised_shortcut

    def forward(self, tokens):
        """Map tokens [B, T, D] to tokens [B, T, D]."""
        normal = self.norm1(tokens)
        start = normal if self.normalised_shortcut else tokens
        tokens = start + self.dropout(self.attention(normal))
        normal = self.norm2(tokens)
        start = normal if self.normalised_shortcut else tokens
        hidden = self.dropout(self.activation(self.expand(normal)))  # [B, T, hidden]
        return start + self.dropout(self.contract(hidden))


class ViT(nn.Module):
    """A vision transformer.

    Parameters
    ----------
    channels : int
        Of the input images.
    size : int
        Side of the input images in pixels; `patch` must divide it.
    classes : int
    patch : int
        Side of a patch in pixels.
    width, heads, depth, hidden : int
        Of a token; attention heads; encoder layers; units of a layer's token network.
    activation, scaled, dropout, normalised_shortcut
        As in `EncoderLayer`.
    cut : {"squares", "strips"}
        How the image becomes patches; "strips" is the original course's mistake.
    read : {"class", "last"}
        From which token the class is read: the class token, or the last patch's, as in the
        original course.
    score_scale : float
        Factor of the attention scores at the start, by larger queries' and keys' weights.

    References
    ----------
    Dosovitskiy et al. (2021), "An image is worth 16x16 words: transformers for image
    recognition at scale", ICLR.
    """

    def __init__(
        self, channels=1, size=28, classes=10, patch=7, width=128, heads=8, depth=1, hidden=512,
        activation="gelu", scaled=True, dropout=0.2, cut="squares", read="class",
        normalised_shortcut=False, score_scale=1.0,
    ):  # fmt: skip
        super().__init__()
        if size % patch:
            raise ValueError(f"patches of {patch} pixels do not divide a side of {size}")
        if cut not in CUTS or read not in ("class", "last"):
            raise ValueError(
                f"cut must be squares or strips, read class or last; got {cut}, {read}"
            )
        self.cut, self.patch, self.read = CUTS[cut], patch, {"class": 0, "last": -1}[read]
        patches = (size // patch) ** 2
        self.embed = nn.Linear(channels * patch**2, width)
        self.class_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.positions = nn.Parameter(0.02 * torch.randn(1, patches + 1, width))
        self.dropout = Dropout(dropout)
        self.layers = nn.Sequential(
            *(
                EncoderLayer(width, heads, hidden, activation, scaled, dropout, normalised_shortcut)
                for _ in range(depth)
            )
        )
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, classes)
        for layer in self.layers:
            layer.attention.enlarge_scores(score_scale)

    def tokens(self, images):
        """Map images [B, C, S, S] to the first layer's tokens [B, 1 + N, D]."""
        patches = self.embed(self.cut(images, self.patch))  # [B, N, D]
        first = self.class_token.expand(len(images), -1, -1)  # [B, 1, D]
        return self.dropout(torch.cat([first, patches], dim=1) + self.positions)

    def forward(self, images):
        """Map images [B, C, S, S] to logits [B, K]."""
        tokens = self.norm(self.layers(self.tokens(images)))
        return self.classifier(tokens[:, self.read])
