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


@torch.inference_mode()
def _inside(model, images):
    """Return a ViT's attention scores [layers, B, h, T, T], and its MLPs' inputs [layers, ...]."""
    scores, units = [], []
    with contextlib.ExitStack() as hooks:
        for layer in model.eval().layers:
            for module, hook in (
                (layer.attention, lambda module, x, _: scores.append(module.scores(x[0])[0])),
                (layer.fc1, lambda _, x, output: units.append(output)),
            ):
                hooks.callback(module.register_forward_hook(hook).remove)
        model(images)
    return torch.stack(scores).float(), torch.stack(units)


def attention_maps(model, images):
    """Return the attention weights [B, layers, h, T, T] of images [B, C, S, S] in [-1, 1]."""
    return _inside(model, images)[0].softmax(dim=-1).transpose(0, 1)


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
    scores, units = _inside(model, images)
    weights, above = scores.softmax(dim=-1), units > 0
    entropy = torch.special.entr(weights).sum(dim=-1) / math.log(weights.shape[-1])
    return {
        "score_std": float(scores.std(dim=-1, correction=0).mean()),
        "attention_entropy": float(entropy.mean()),
        "active_units": float(above.float().mean()),
        "dead_units": float((~above.any(dim=(1, 2))).float().mean()),
    }


@torch.inference_mode()
def saliency(model, images):
    """Return where a model looks on images [B, C, S, S] in [-1, 1].

    Returns
    -------
    tensor or None
        Of a ResNet-18 or EfficientNet what each place of the last map adds to each class's logit,
        [B, K, s, s]. It ends in a mean over places and a linear layer, which can change places:
        the map is exact but for the bias. Of a ViT how much the answering token takes from each
        patch in the last layer, [B, N]: means over the heads, which sum to 1 with what the class
        token gets. No other model has either.

    References
    ----------
    Zhou, Khosla, Lapedriza, Oliva and Torralba (2016), "Learning deep features for
    discriminative localization", CVPR.
    """
    if isinstance(model, ViT):
        return attention_maps(model, images)[:, -1].mean(dim=1)[:, model.pool, 1:]
    if not isinstance(model, ResNet18 | EfficientNetLite0):
        return None
    features = model.eval().stages(model.stem(images))  # [B, D, s, s]
    return functional.conv2d(features, model.classifier[-1].weight[:, :, None, None])
