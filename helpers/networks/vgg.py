"""VGG-11: nothing but 3×3 convolutions, stacked until they see the whole image.

And what the original course built under that name.
"""

from torch import nn

from helpers.networks.convolution import Conv3x3

#: VGG-11's convolutions: their output channels in units of the first one's, and "pool" for a
#: halving of the image.
CONFIGURATION_A = (1, "pool", 2, "pool", 4, 4, "pool", 8, 8, "pool", 8, 8, "pool")


class VGG11(nn.Module):
    """VGG-11, "configuration A" of the paper.

    Parameters
    ----------
    channels : int
        Of the input images.
    size : int
        Side of the input images in pixels. Five poolings need 32; smaller ones are padded.
    classes : int
    pool : int
        Side of the map that the classifier sees. The paper's 224×224 images leave 7; images
        of up to 32×32 leave 1.
    hidden : int
        Units in each of the classifier's two hidden layers; 4,096 in the paper.
    width : int
        Channels of the first convolution; 64 in the paper.
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
        layers = [nn.ZeroPad2d((missing // 2, missing - missing // 2) * 2)] if missing else []
        for step in CONFIGURATION_A:
            if step == "pool":
                layers.append(nn.MaxPool2d(2))  # [B, C, S, S] -> [B, C, S/2, S/2]
                continue
            layers.append(Conv3x3(channels, step * width, bias=True))
            layers += [nn.BatchNorm2d(step * width)] if batch_norm else []
            layers.append(nn.ReLU(inplace=True))
            channels = step * width
        self.features = nn.Sequential(*layers)  # [B, 512, S/32, S/32] with the paper's width
        self.pool = nn.AdaptiveAvgPool2d(pool)  # [B, 512, pool, pool]
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * pool**2, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, classes),
        )
        self.apply(_initialise)

    def forward(self, images):
        """Map images [B, C, S, S] to logits [B, K]."""
        return self.classifier(self.pool(self.features(images)))


class CourseVGG(nn.Module):
    """What the original course called VGG: five 3×3 convolutions and a large classifier.

    Parameters
    ----------
    channels : int
        Of the input images.
    size : int
        Side of the input images in pixels, at least 32: each convolution is followed by a
        pooling that halves it.
    classes : int
    batch_norm : bool
        Whether batch normalisation follows every convolution.
    dropout : float
        Share of the classifier's hidden units that is dropped in training.

    References
    ----------
    The course's report gives the classifier's 4,096 and 1,000 units, not the convolutions'
    channels; here they are those of VGG-11's five blocks.
    """

    def __init__(self, channels=3, size=224, classes=5, batch_norm=False, dropout=0.5):
        super().__init__()
        if size < 32:
            raise ValueError(f"five poolings need images of at least 32×32 pixels; got {size}")
        layers = []
        for width in (64, 128, 256, 512, 512):
            layers.append(Conv3x3(channels, width, bias=True))
            layers += [nn.BatchNorm2d(width)] if batch_norm else []
            layers += [nn.ReLU(inplace=True), nn.MaxPool2d(2)]
            channels = width
        self.features = nn.Sequential(*layers)  # [B, 512, S/32, S/32]
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * (size // 32) ** 2, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 1000),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(1000, classes),
        )
        self.apply(_initialise)

    def forward(self, images):
        """Map images [B, C, S, S] to logits [B, K]."""
        return self.classifier(self.features(images))


def _initialise(module):
    """Draw weights of He's scale: without it, or normalisation, eleven layers do not train."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)
