"""Learning rates over a run: a schedule maps a step, and the number of all steps, to a rate.

The PyTorch trainer counts steps, the NumPy trainer epochs, as the original course did.
"""

import math


def constant(lr):
    """Return the schedule that always gives `lr`."""
    return lambda step, steps: lr


def cosine(peak_lr, warmup=0.0):
    """Return a linear rise over a share `warmup` of all steps, then half a cosine down to 0.

    Source: Loshchilov and Hutter (2017), "SGDR", ICLR (without the restarts).
    """

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

    def lr(step, steps):
        if step < warmup:
            return peak_lr * (step + 1) / (warmup + 1)
        return 0.5 * peak_lr * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))

    return lr


def one_cycle(peak_lr, rise=0.3, start=25.0):
    """Return a linear rise from `peak_lr / start`, then a linear fall to nearly 0.

    Source: Smith and Topin (2019), "Super-convergence".
    """

    def lr(step, steps):
        at = (step + 0.5) / steps
        if at < rise:
            return peak_lr * (1 / start + (1 - 1 / start) * at / rise)
        return peak_lr * (1 - at) / (1 - rise)

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
    "one-cycle": one_cycle,
    "course": course,
}
