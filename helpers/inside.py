"""What happens inside a ViT: its attention, and which units of its layers are active.

Read by hooks on the finished model, so that the model's own code stays free of it.
"""

import contextlib
import math

import torch

from helpers.models import ViT


@contextlib.contextmanager
def watched(model):
    """Record what a ViT's layers compute while the context lasts.

    Parameters
    ----------
    model : helpers.models.ViT

    Yields
    ------
    scores : list of tensors [B, h, T, T]
        The attention scores before the softmax, one for each layer that ran.
    units : list of tensors [B, T, hidden]
        The inputs of the activation in each layer's token network.
    """
    scores, units, hooks = [], [], []
    for layer in model.layers:
        hooks.append(
            layer.attention.register_forward_hook(
                lambda module, inputs, _: scores.append(module.scores(inputs[0])[0])
            )
        )
        hooks.append(layer.expand.register_forward_hook(lambda *call: units.append(call[2])))
    try:
        yield scores, units
    finally:
        for hook in hooks:
            hook.remove()


@torch.inference_mode()
def attention_maps(model, images):
    """Return the attention weights [B, layers, h, T, T] of images [B, C, S, S] in [-1, 1]."""
    model.eval()
    with watched(model) as (scores, _):
        model(images)
    return torch.stack([layer.softmax(dim=-1) for layer in scores], dim=1)


@torch.inference_mode()
def signs(model, images):
    """Measure a model's attention and activity on some images.

    Parameters
    ----------
    model : torch.nn.Module
        Left in evaluation mode.
    images : tensor [B, C, S, S]
        In [-1, 1].

    Returns
    -------
    dict of float
        Empty unless the model is a ViT; otherwise means over layers, heads and images of

        - `score_spread`: standard deviation of the scores that one token gives to all, the
          numbers that go into a softmax;
        - `attention_entropy`: entropy of the attention weights, as a share of that of looking
          everywhere alike (1: everywhere; 0: at one token);
        - `active_units`: share of the token networks' units that are above zero;
        - `silent_units`: share of the units that are never above zero on these images.
    """
    if not isinstance(model, ViT):
        return {}
    model.eval()
    with watched(model) as (scores, units):
        model(images)
    scores, units = torch.stack(scores).float(), torch.stack(units)  # layers first
    weights = scores.softmax(dim=-1)
    entropy = torch.special.entr(weights).sum(dim=-1) / math.log(weights.shape[-1])
    above = units > 0
    return {
        "score_spread": float(scores.std(dim=-1, correction=0).mean()),
        "attention_entropy": float(entropy.mean()),
        "active_units": float(above.float().mean()),
        "silent_units": float((~above.any(dim=(1, 2), keepdim=False)).float().mean()),
    }
