"""Learning rates over a run: a schedule maps a step, and the number of all steps, to a rate."""

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


SCHEDULES = {"constant": constant, "cosine": cosine, "one-cycle": one_cycle}
