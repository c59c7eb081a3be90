"""ViT: the image as a sequence of patches, each of which may look at every other."""

import math

import torch
from torch import nn
from torch.nn import functional


def square_patches(images, patch):
    """Cut images [B, C, H, W] into squares of side p, [B, N, C p p], row by row."""
    batch, channels, height, width = images.shape
    squares = images.reshape(batch, channels, height // patch, patch, width // patch, patch)
    squares = squares.permute(0, 2, 4, 1, 3, 5)  # [B, H/p, W/p, C, p, p]
    return squares.reshape(batch, -1, channels * patch**2)


class Attention(nn.Module):
    """Multi-head self-attention.

    Parameters
    ----------
    embed_dim : D, of a token.
    heads : h; it must divide D, and each head works on d = D/h numbers.
    dropout : share of the attention weights that is dropped in training.

    References
    ----------
    Vaswani et al. (2017), "Attention is all you need", NeurIPS, section 3.2.
    """

    def __init__(self, embed_dim, heads, dropout=0.0):
        super().__init__()
        if embed_dim % heads:
            raise ValueError(f"{heads} heads do not divide an embedding of {embed_dim}")
        self.heads, self.scale = heads, 1 / math.sqrt(embed_dim // heads)
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.output = nn.Linear(embed_dim, embed_dim)
        self.dropout = nn.Dropout(dropout)

    def scores(self, tokens):
        """Return the attention scores [B, h, T, T] before the softmax, and values [B, h, T, d]."""
        batch, length, embed_dim = tokens.shape
        split = self.qkv(tokens).reshape(batch, length, 3, self.heads, embed_dim // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)  # each [B, h, T, d]
        return queries @ keys.transpose(-2, -1) * self.scale, values

    def forward(self, tokens):
        """Let every token [B, T, D] take in from every other token of its own image."""
        scores, values = self.scores(tokens)
        weights = self.dropout(scores.softmax(dim=-1))  # [B, h, T, T], rows sum to 1
        mixed = (weights @ values).transpose(1, 2).flatten(start_dim=2)  # [B, T, D]
        return self.output(mixed)


class EncoderLayer(nn.Module):
    """Attention, then an MLP with `hidden` units on each token, each added to what came in."""

    def __init__(self, embed_dim, heads, hidden, dropout=0.0):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(embed_dim), nn.LayerNorm(embed_dim)
        self.attention = Attention(embed_dim, heads, dropout)
        self.fc1, self.fc2 = nn.Linear(embed_dim, hidden), nn.Linear(hidden, embed_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens):
        """Map tokens [B, T, D] to tokens [B, T, D]."""
        tokens = tokens + self.dropout(self.attention(self.norm1(tokens)))
        hidden = self.dropout(functional.gelu(self.fc1(self.norm2(tokens))))  # [B, T, hidden]
        return tokens + self.dropout(self.fc2(hidden))


class ViT(nn.Module):
    """A vision transformer.

    Parameters
    ----------
    channels, size, classes : of the images, their side in pixels, and of the answer.
    patch : side of a patch in pixels; it must divide `size`.
    embed_dim, heads, depth, hidden : of a token; attention heads; encoder layers; hidden units of a
        layer's MLP.
    dropout : after the embedding, in the attention and in the MLP.

    References
    ----------
    Dosovitskiy et al. (2021), "An image is worth 16x16 words: transformers for image
    recognition at scale", ICLR.
    """

    layer, patching, pool = EncoderLayer, staticmethod(square_patches), 0  # for `vit_variants`

    def __init__(
        self, channels=1, size=28, classes=10, patch=7, embed_dim=128, heads=8, depth=1,
        hidden=512, dropout=0.2,
    ):  # fmt: skip
        super().__init__()
        if size % patch:
            raise ValueError(f"patches of {patch} pixels do not divide a side of {size}")
        self.shape, self.patch, patches = (channels, size, size), patch, (size // patch) ** 2
        self.patch_embed = nn.Linear(channels * patch**2, embed_dim)
        self.class_token = nn.Parameter(0.02 * torch.randn(1, 1, embed_dim))
        self.positions = nn.Parameter(0.02 * torch.randn(1, patches + 1, embed_dim))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential(
            *(self.layer(embed_dim, heads, hidden, dropout) for _ in range(depth))
        )
        self.norm = nn.LayerNorm(embed_dim)
        self.classifier = nn.Linear(embed_dim, classes)

    def embed(self, images):
        """Map images [B, C, S, S] to the first layer's tokens [B, 1 + N, D]."""
        if images.shape[1:] != self.shape:
            raise ValueError(f"images must be [B, {self.shape}]; got {list(images.shape)}")
        patches = self.patch_embed(self.patching(images, self.patch))  # [B, N, D]
        first = self.class_token.expand(len(images), -1, -1)  # [B, 1, D]
        return self.dropout(torch.cat([first, patches], dim=1) + self.positions)

    def forward(self, images):
        """Map images [B, C, S, S] to logits [B, K]."""
        tokens = self.norm(self.layers(self.embed(images)))
        return self.classifier(tokens[:, self.pool])  # 0 is the class token
