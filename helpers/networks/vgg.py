"""VGG-11: nothing but 3×3 convolutions, stacked until they see the whole image.

And what the original course built under that name; last `Conv3x3`, which ResNet shares.
"""

import torch
from torch import nn
from torch.nn import functional

from helpers.networks.lenet import check_square

#: Output channels of the convolutions in units of the first one's, and "pool" for a halving.
VGG_11 = (1, "pool", 2, "pool", 4, 4, "pool", 8, 8, "pool", 8, 8, "pool")
COURSE = (1, "pool", 2, "pool", 4, "pool", 8, "pool", 8, "pool")


class VGG11(nn.Module):
    """VGG-11, "configuration A" of the paper.

    Parameters
    ----------
    channels, size, classes, batch_norm, dropout : as of `LeNet`; the paper had no normalisation
        yet. Five poolings need a side of 32; smaller images are padded.
    pool : side of the map that the classifier sees; 7 for the paper's images of 224×224.
    hidden, width : units in each of the classifier's two hidden layers, and channels of the first
        convolution; in the paper 4,096 and 64.

    References
    ----------
    Simonyan and Zisserman (2015), "Very deep convolutional networks for large-scale image
    recognition", ICLR.
    """

    def __init__(
        self, channels=1, size=28, classes=10, pool=1, hidden=4096, width=64, batch_norm=False,
        dropout=0.5,
    ):  # fmt: skip
        super().__init__()
        missing = max(0, 32 - size)
        padding = [nn.ZeroPad2d((missing // 2, missing - missing // 2) * 2)] if missing else []
        features = _features(VGG_11, channels, width, batch_norm)
        self.features = nn.Sequential(*padding, *features)  # [B, 8 width, S/32, S/32]
        self.pool = nn.AdaptiveAvgPool2d(pool)  # [B, 8 width, pool, pool]
        self.classifier = _classifier(8 * width * pool**2, hidden, hidden, classes, dropout)
        self.apply(_initialise)

    def forward(self, images):
        """Map images [B, C, S, S] to logits [B, K]."""
        return self.classifier(self.pool(self.features(images)))


class CourseVGG(nn.Module):
    """What the original course called VGG: five 3×3 convolutions and a large classifier.

    Its report gives the classifier's 4,096 and 1,000 units, not the convolutions' channels;
    here they are those of VGG-11's five blocks. For images of at least 32 pixels.
    """

    def __init__(self, channels=3, size=224, classes=5, batch_norm=False, dropout=0.5):
        super().__init__()
        if size < 32:
            raise ValueError(f"five poolings need images of at least 32×32 pixels; got {size}")
        self.features = nn.Sequential(*_features(COURSE, channels, 64, batch_norm))
        self.classifier = _classifier(512 * (size // 32) ** 2, 4096, 1000, classes, dropout)
        self.apply(_initialise)  # features: [B, 512, S/32, S/32]

    def forward(self, images):
        """Map images [B, C, S, S] to logits [B, K]."""
        check_square(images)
        return self.classifier(self.features(images))


def _features(steps, channels, width, batch_norm):
    layers = []
    for step in steps:
        if step == "pool":
            layers.append(nn.MaxPool2d(2))  # [B, C, S, S] -> [B, C, S/2, S/2]
            continue
        layers.append(Conv3x3(channels, step * width, bias=True))
        layers += [nn.BatchNorm2d(step * width)] if batch_norm else []
        layers.append(nn.ReLU(inplace=True))
        channels = step * width
    return layers


def _classifier(inputs, hidden1, hidden2, classes, dropout):
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(inputs, hidden1),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(hidden1, hidden2),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(hidden2, classes),
    )


def _initialise(module):
    """Draw weights of He's scale: without it, or normalisation, eleven layers do not train."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)


# ---------------------------------------------------------- the convolution, quick on small maps

FEW_PLACES = 16  # of the output: a map of 4×4, at most
MANY_CHANNELS = 256  # of the input


class Conv3x3(nn.Conv2d):
    """A 3×3 convolution with zero padding of 1: to rounding, what `torch.nn.Conv2d` computes.

    Where the kernel has one place alone to go, as in ResNet-18's last stage on 28×28 pixels, most
    of it lies on the padding; what is left is a linear layer. Where there are few places and many
    channels, a CPU's library for convolutions spends most of a step on the gradient of the
    weights; one product of the patches and the weights takes a fraction of the time.
    """

    def __init__(self, channels, width, stride=1, bias=False):
        super().__init__(channels, width, 3, stride=stride, padding=1, bias=bias)

    def forward(self, x):
        """Map [B, channels, H, W] to [B, width, ⌈H/stride⌉, ⌈W/stride⌉]."""
        stride, (height, width) = self.stride[0], x.shape[2:]
        if max(height, width) <= stride:
            inside = self.weight[:, :, 1 : 1 + height, 1 : 1 + width]  # what meets the map
            flat = functional.linear(x.flatten(1), inside.flatten(1), self.bias)
            return flat[:, :, None, None]
        few = -(-height // stride) * -(-width // stride) <= FEW_PLACES
        if few and self.in_channels >= MANY_CHANNELS and x.device.type == "cpu":
            weight = self.weight.permute(0, 2, 3, 1).flatten(1)  # [width, 3*3*channels]
            return functional.linear(_seen(x, stride), weight, self.bias).permute(0, 3, 1, 2)
        return super().forward(x)


def _seen(x, stride):
    """Lay out what the kernel sees of maps [B, C, H, W] at each place: [B, H', W', 9 C]."""
    padded = functional.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))  # [B, H + 2, W + 2, C]
    height, width = x.shape[2:]
    shifted = [
        padded[:, row : row + height : stride, column : column + width : stride]
        for row in range(3) for column in range(3)
    ]  # fmt: skip
    return torch.cat(shifted, dim=-1)
