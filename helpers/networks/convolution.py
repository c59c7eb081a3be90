"""The 3×3 convolution of VGG and ResNet, quick on small maps, too."""

import torch
from torch import nn
from torch.nn import functional

FEW_PLACES = 16  # of the output: a map of 4×4, at most
MANY_CHANNELS = 256  # of the input


class Conv3x3(nn.Conv2d):
    """A 3×3 convolution with zero padding of 1.

    It computes what `torch.nn.Conv2d` does, up to rounding. Where the map is small, it does so in
    one of two quicker ways.

    Where the kernel has only one place to go, most of it lies on the zero padding. What is
    left is a linear layer: ResNet-18's last stage on 28×28 pixels is such a place.

    Where there are few places and many channels, as in the last stages of all these networks,
    a processor's library for convolutions spends most of a step on the gradient of the weights.
    Written as one product of the patches under the kernel and the weights, forward and backward
    pass take a fraction of the time (a GPU's library needs no such help).
    """

    def __init__(self, channels, width, stride=1, bias=False):
        super().__init__(channels, width, 3, stride=stride, padding=1, bias=bias)

    def forward(self, x):
        """Map [B, channels, S, S] to [B, width, ⌈S/stride⌉, ⌈S/stride⌉]."""
        side, stride = x.shape[-1], self.stride[0]
        if side <= stride:
            inside = self.weight[:, :, 1 : 1 + side, 1 : 1 + side]  # the part that meets the map
            flat = functional.linear(x.flatten(1), inside.flatten(1), self.bias)
            return flat[:, :, None, None]
        few = (-(-side // stride)) ** 2 <= FEW_PLACES
        if few and self.in_channels >= MANY_CHANNELS and x.device.type == "cpu":
            weight = self.weight.permute(0, 2, 3, 1).flatten(1)  # [width, 3*3*channels]
            return functional.linear(patches(x, stride), weight, self.bias).permute(0, 3, 1, 2)
        return super().forward(x)


def patches(x, stride=1):
    """Lay out what a 3×3 kernel with zero padding sees in maps [B, C, S, S] at each place.

    Returns
    -------
    Tensor [B, P, P, 9 C]
        P = ⌈S/stride⌉; the nine pixels row by row, each with all of its channels.
    """
    padded = functional.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))  # [B, S + 2, S + 2, C]
    seen = x.shape[-1]  # pixels from the first place's corner to behind the last one's
    shifted = [
        padded[:, row : row + seen : stride, column : column + seen : stride]
        for row in range(3) for column in range(3)
    ]  # fmt: skip
    return torch.cat(shifted, dim=-1)
