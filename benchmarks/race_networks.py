"""Two networks for MNIST in a hurry: PyTorch's example, and one that costs a tenth of it."""

from torch import nn


class ExampleNet(nn.Module):
    """The network of PyTorch's MNIST example, up to its log-softmax, which is the loss's here.

    Parameters
    ----------
    channels : int
        Of the input images.
    size : int
        Side of the input images in pixels; 28 gives the example's 1,199,882 parameters.
    classes : int

    References
    ----------
    https://github.com/pytorch/examples/blob/main/mnist/main.py
    """

    def __init__(self, channels=1, size=28, classes=10):
        super().__init__()
        side = (size - 4) // 2  # after two 3×3 convolutions and a pooling
        if side < 1:
            raise ValueError(
                f"the example network needs images of at least 6×6 pixels; got {size}×{size}"
            )
        self.features = nn.Sequential(  # [B, C, S, S]
            nn.Conv2d(channels, 32, kernel_size=3),  # [B, 32, S - 2, S - 2]
            nn.ReLU(),
            nn.Conv2d(32, 64, kernel_size=3),  # [B, 64, S - 4, S - 4]: nine tenths of the work
            nn.ReLU(),
            nn.MaxPool2d(2),  # [B, 64, s, s]
            nn.Dropout(0.25),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),  # [B, 64 s²]
            nn.Linear(64 * side**2, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, classes),
        )

    def forward(self, images):
        """Map images [B, C, S, S] to logits [B, K]."""
        return self.classifier(self.features(images))


class QuickNet(nn.Module):
    """Three convolutions that make the image small first, and wide only then.

    The first one's stride leaves a quarter of the places to compute at; batch normalisation
    lets it learn at a large rate, and there is nothing to slow it down again: no dropout, and
    no hidden layer behind the convolutions.

    Parameters
    ----------
    channels : int
        Of the input images.
    size : int
        Side of the input images in pixels, at least 20.
    classes : int
    widths : (int, int, int)
        Channels of the three convolutions; multiples of 8 fill a processor's registers.
    """

    def __init__(self, channels=1, size=28, classes=10, widths=(16, 32, 64)):
        super().__init__()
        if size < 20:
            raise ValueError(f"QuickNet needs images of at least 20×20 pixels; got {size}×{size}")
        side = ((size - 5) // 2 - 1) // 2 - 2
        first, second, third = widths
        self.features = nn.Sequential(  # [B, C, 28, 28]
            *_block(channels, first, kernel_size=5, stride=2),  # [B, 16, 12, 12]
            *_block(first, second, kernel_size=3),  # [B, 32, 10, 10]
            nn.MaxPool2d(2),  # [B, 32, 5, 5]
            *_block(second, third, kernel_size=3),  # [B, 64, 3, 3]
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(third * side**2, classes))

    def forward(self, images):
        """Map images [B, C, S, S] to logits [B, K]."""
        return self.classifier(self.features(images))


def _block(channels, width, **options):
    return (
        nn.Conv2d(channels, width, bias=False, **options),  # the normalisation has a bias
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )
