"""VGG-11: nothing but 3×3 convolutions, stacked until they see the whole image.

And what the original course built under that name.
"""

from torch import nn

from helpers.networks.convolution import Conv3x3

#: Output channels of the convolutions in units of the first one's, and "pool" for a halving of
#: the image: the paper's "configuration A", and the course's.
VGG_11 = (1, "pool", 2, "pool", 4, 4, "pool", 8, 8, "pool", 8, 8, "pool")
COURSE = (1, "pool", 2, "pool", 4, "pool", 8, "pool", 8, "pool")


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


class VGG11(nn.Module):
    """VGG-11, "configuration A" of the paper.

    Parameters
    ----------
    channels, size, classes : int
        Of the input images, their side in pixels, and of the answer. Five poolings need a side
        of 32; smaller images are padded.
    pool : int
        Side of the map that the classifier sees. The paper's 224×224 images leave 7; images
        of up to 32×32 leave 1.
    hidden, width : int
        Units in each of the classifier's two hidden layers, and channels of the first
        convolution; in the paper 4,096 and 64.
    batch_norm : bool
        Whether batch normalisation follows every convolution (the paper had none yet).
    dropout : float
        Share of the classifier's hidden units that is dropped in training.

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
    here they are those of VGG-11's five blocks. Parameters as for `VGG11`; at least 32 pixels.
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
        return self.classifier(self.features(images))
