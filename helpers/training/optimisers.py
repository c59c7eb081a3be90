"""How far each step goes: learning rates over a run, and which parts of a PyTorch model learn.

A schedule maps a step, and the number of all steps, to a learning rate. The PyTorch trainer counts
steps, the NumPy trainer epochs, as the original course did.
"""

import math

from helpers.networks.mlp import choose

# ----------------------------------------------------------------------------- schedules


def check_share(warmup):
    """Raise a ValueError unless a warm-up is a share of all steps."""
    if not 0 <= warmup < 1:
        raise ValueError(f"warmup must be a share of all steps, below 1; got {warmup}")


def constant(lr, warmup=0.0):
    """Return the schedule that gives `lr`, after a linear rise over a share `warmup` of all steps.

    The warm-up: Goyal et al. (2017), "Accurate, large minibatch SGD", section 2.2.
    """
    check_share(warmup)
    return lambda step, steps: lr * min(1.0, (step + 1) / max(1.0, warmup * steps))


def cosine(peak_lr, warmup=0.0):
    """Return a linear rise over a share `warmup` of all steps, then half a cosine down to 0.

    Source: Loshchilov and Hutter (2017), "SGDR", ICLR (without the restarts).
    """
    check_share(warmup)

    def lr(step, steps):
        rise = warmup * steps
        if step < rise:
            return peak_lr * (step + 1) / rise
        return 0.5 * peak_lr * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))

    return lr


def warmup_cosine(peak_lr, warmup=1):
    """Return a linear rise over `warmup` steps, then half a cosine down to 0.

    The first step after the rise is the first at `peak_lr`. The warm-up: Goyal et al. (2017).
    """
    if warmup != int(warmup) or warmup < 0:
        raise ValueError(f"warmup must be a number of steps; got {warmup}")

    def lr(step, steps):
        if step < warmup:
            return peak_lr * (step + 1) / (warmup + 1)
        return 0.5 * peak_lr * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))

    return lr


def course(scale=1.0, decay=0.98):
    """Return the original course's schedule for 400 epochs, times `scale`.

    Warm-up over 20 epochs to 0.2; then a cosine of period 80 between 0.05 and 0.2 whose
    swing is multiplied by `decay` every ten epochs; the last 20 epochs at 0.05.
    """

    def lr(epoch, epochs):
        if epoch < 20:
            return scale * (0.05 + 0.15 * (epoch + 1) / 20)
        if epoch < 380:
            swing = 1 + math.cos(math.pi * (epoch - 10) / 40)
            return scale * (0.05 + 0.5 * 0.15 * swing * decay ** ((epoch - 20) // 10))
        return scale * 0.05

    return lr


SCHEDULES = {
    "constant": constant,
    "cosine": cosine,
    "warmup-cosine": warmup_cosine,
    "course": course,
}

# ---------------------------------------------------------------------------- optimisers

#: Names in `torch.optim`, or what makes an optimiser as those classes do.
OPTIMISERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD"}


def make_optimiser(config, model):
    """Return the config's optimiser; weight decay spares biases and normalisations."""
    import torch  # here: the NumPy chapters need not wait for it

    options = dict(config.optimiser)
    kind = choose(OPTIMISERS, options.pop("name"), "optimiser")
    kind = getattr(torch.optim, kind) if isinstance(kind, str) else kind
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
    """Freeze what the config exempts in an epoch: the body, or batch normalisation's averages."""
    from torch import nn  # here: as above

    for name, parameter in model.named_parameters():
        parameter.requires_grad_(epoch >= config.head_epochs or in_head(name))
    for module in model.modules():
        if config.freeze_batch_norm and isinstance(module, nn.BatchNorm2d):
            module.eval()
