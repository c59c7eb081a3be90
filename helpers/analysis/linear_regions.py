"""The pieces of the plane on which a network of practice 5 is linear, and the map on each.

A network with ReLU or abs is linear wherever no unit changes its sign; one that sorts or
permutes, wherever the order of the first layer's units stays the same.
"""

import numpy as np
import torch

#: What must stay the same on a piece: "signs" or "order".
PIECEWISE = {"relu": "signs", "abs": "signs", "sort": "order", "permute": "order"}


@torch.no_grad()
def codes(networks, points):
    """Give each point the number of its piece, for each network.

    Parameters
    ----------
    networks : Networks
        Of a combination in `PIECEWISE`.
    points : Tensor [N, 2]

    Returns
    -------
    ndarray of int64, [R, N]
        Points of one network with the same number lie in the same piece.

    Raises
    ------
    ValueError
        If the combination is not piecewise linear.
    """
    name = networks.combination.name
    if name not in PIECEWISE:
        raise ValueError(f"{name} is not piecewise linear: choose one of {', '.join(PIECEWISE)}")
    z1, z2 = networks.hidden(points)  # [R, N, H]
    if PIECEWISE[name] == "signs":
        digits, base = torch.cat([z1 > 0, z2 > 0], dim=-1).long(), 2
    else:
        digits, base = z1.argsort(dim=-1), z1.shape[-1]
    place = base ** torch.arange(digits.shape[-1])  # 10^9 and 2^19 fit in 64 bits
    return (digits * place).sum(-1).numpy()


def count(networks, points):
    """Count the pieces that hold at least one of the points, for each network, ndarray [R]."""
    return np.array([len(np.unique(row)) for row in codes(networks, points)])


def slopes(networks, points):
    """Return the logit's slope at each point, [R, N, 2], and its height at the origin, [R, N].

    On a piece both are the same everywhere: `logit = slope · point + height`.
    """
    points = points.clone().requires_grad_()
    spread = points.expand(len(networks.weights[0]), *points.shape)
    spread.retain_grad()
    logits = networks.logits(spread)
    (slope,) = torch.autograd.grad(logits.sum(), spread)
    logits, slope, points = logits.detach(), slope.detach(), points.detach()
    return slope, logits - (slope * points).sum(-1)
