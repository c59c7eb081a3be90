"""What happens inside a finished model: where it looks, and which of its units are active.

Read from outside, by hooks or part by part, so that the model's own code stays free of it.
"""

import contextlib
import math

import torch
from torch.nn import functional

from helpers.networks.efficientnet import EfficientNetLite0
from helpers.networks.resnet import ResNet18
from helpers.networks.vit import ViT


@contextlib.contextmanager
def watched(model):
    """Record what a ViT's layers compute while the context lasts.

    Parameters
    ----------
    model : helpers.networks.vit.ViT

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
        hooks.append(layer.fc1.register_forward_hook(lambda *call: units.append(call[2])))
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
def attention_statistics(model, images):
    """Measure a model's attention and activity on images [B, C, S, S] in [-1, 1].

    Returns
    -------
    dict of float
        Empty unless the model is a ViT; otherwise means over layers, heads and images of

        - `score_std`: standard deviation of the scores that one token gives to all, the
          numbers that go into a softmax;
        - `attention_entropy`: entropy of the attention weights, as a share of that of looking
          everywhere alike (1: everywhere; 0: at one token);
        - `active_units`: share of the MLPs' hidden units that are above zero;
        - `dead_units`: share of the units that are never above zero on these images.
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
        "score_std": float(scores.std(dim=-1, correction=0).mean()),
        "attention_entropy": float(entropy.mean()),
        "active_units": float(above.float().mean()),
        "dead_units": float((~above.any(dim=(1, 2))).float().mean()),
    }


@torch.inference_mode()
def class_activation_maps(model, images):
    """Compute what each place of the last map adds to each class's logit.

    A ResNet ends in a mean over places and a linear layer, as an EfficientNet does. The two can
    change places: apply the linear layer at every place first, and the mean of what it gives is
    the logit, but for the bias. So this map [B, K, s, s] is exact, not an approximation.

    References
    ----------
    Zhou, Khosla, Lapedriza, Oliva and Torralba (2016), "Learning deep features for
    discriminative localization", CVPR.
    """
    features = model.eval().stages(model.stem(images))  # [B, D, s, s]
    linear = model.classifier[-1]
    return functional.conv2d(features, linear.weight[:, :, None, None])


@torch.inference_mode()
def token_attention(model, images):
    """Return how much a ViT's answering token takes from each patch in the last layer, [B, N].

    Means over the heads; with what the class token gets, they sum to 1.
    """
    last = attention_maps(model, images)[:, -1].float().mean(dim=1)  # [B, T, T]
    return last[:, model.pool, 1:]


def saliency(model, images):
    """Return where a model looks on images [B, C, S, S] in [-1, 1].

    Returns
    -------
    tensor or None
        ResNet-18, EfficientNet: its class-activation maps [B, K, s, s]. ViT: the attention of its
        answering token to the patches [B, N]. No other model has either.
    """
    if isinstance(model, ResNet18 | EfficientNetLite0):
        return class_activation_maps(model, images)
    return token_attention(model, images) if isinstance(model, ViT) else None
