"""ResNet-18: every two layers compute a correction to what went in, not a replacement."""

from torch import nn
from torch.nn import functional

from helpers.networks.mlp import choose
from helpers.networks.vgg import Conv3x3


class BasicBlock(nn.Module):
    """Two 3×3 convolutions, and a shortcut around them: `relu(x + f(x))`.

    Parameters
    ----------
    channels, width : of the input and of the output.
    stride : 2 halves the image; the shortcut then is a strided 1×1 convolution.
    """

    def __init__(self, channels, width, stride=1):
        super().__init__()
        self.conv1 = Conv3x3(channels, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = Conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x):
        """Map [B, channels, S, S] to [B, width, S/stride, S/stride]."""
        correction = functional.relu(self.bn1(self.conv1(x)))
        correction = self.bn2(self.conv2(correction))
        return functional.relu(self.shortcut(x) + correction)


class ResNet18(nn.Module):
    """ResNet-18.

    Parameters
    ----------
    channels, size, classes : as of `LeNet`; the last map is averaged, so any side from 8 on does.
    stem : "7x7", the paper's convolution of stride 2 and a max-pooling, which leave a quarter of
        the side; or "3x3", one convolution that keeps it all and suits small images.
    width : channels of the first stage, which every later stage doubles; 64 in the paper.

    References
    ----------
    He, Zhang, Ren and Sun (2016), "Deep residual learning for image recognition", CVPR.
    The 3×3 stem: their section 4.2, on CIFAR-10.
    """

    def __init__(self, channels=1, size=28, classes=10, stem="7x7", width=64):
        super().__init__()
        if size < 8:
            raise ValueError(f"ResNet-18 needs images of at least 8×8 pixels; got {size}×{size}")
        self.stem = choose(STEMS, stem, "stem")(channels, width)
        self.stages = nn.Sequential(
            _stage(width, width, stride=1),  # [B, 64, s, s] with the paper's width
            _stage(width, 2 * width, stride=2),  # [B, 128, s/2, s/2]
            _stage(2 * width, 4 * width, stride=2),  # [B, 256, s/4, s/4]
            _stage(4 * width, 8 * width, stride=2),  # [B, 512, s/8, s/8]
        )
        self.pool = nn.AdaptiveAvgPool2d(1)  # [B, 512, 1, 1]
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(8 * width, classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images):
        """Map images [B, C, S, S] to logits [B, K]."""
        return self.classifier(self.pool(self.stages(self.stem(images))))


def _paper_stem(channels, width):
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel_size=7, stride=2, padding=3, bias=False),
        nn.BatchNorm2d(width),  # [B, 64, S/2, S/2]
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2, padding=1),  # [B, 64, S/4, S/4]
    )


def _small_stem(channels, width):
    return nn.Sequential(Conv3x3(channels, width), nn.BatchNorm2d(width), nn.ReLU())


STEMS = {"7x7": _paper_stem, "3x3": _small_stem}


def _stage(channels, width, stride):
    return nn.Sequential(BasicBlock(channels, width, stride), BasicBlock(width, width))
