"""Which parts of a PyTorch model learn, and how fast."""

import torch
from torch import nn

from helpers.networks.mlp import choose

OPTIMISERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


def make_optimiser(config, model):
    """Return the config's optimiser; weight decay spares biases and normalisations."""
    options = dict(config.optimiser)
    kind = choose(OPTIMISERS, options.pop("name"), "optimiser")
    decay = options.pop("weight_decay", 0.0)
    groups = {}
    for name, parameter in model.named_parameters():
        key = parameter.ndim > 1, 1.0 if in_head(name) else config.body_lr_scale or 1.0
        start = {"params": [], "weight_decay": decay if key[0] else 0.0, "lr_scale": key[1]}
        groups.setdefault(key, start)["params"].append(parameter)
    return kind(list(groups.values()), lr=0.0, fused=True, **options)


def in_head(name):
    """Whether a parameter of that name is of a model's last part, its `classifier`."""
    return name.startswith("classifier.")


def hold_still(model, config, epoch):
    """Keep those parts of a model in training from changing that the config exempts in an epoch."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(epoch >= config.head_epochs or in_head(name))
    for module in model.modules():
        if config.freeze_batch_norm and isinstance(module, nn.BatchNorm2d):
            module.eval()
