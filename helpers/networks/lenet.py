"""LeNet-5: two convolutions that look for local features, and a small classifier on top."""

from torch import nn


class LeNet(nn.Module):
    """LeNet-5 with ReLU and max-pooling, as it is built today.

    Parameters
    ----------
    channels, size, classes : of the images, their side in pixels, at least 12, and of the answer;
        a side of 28 gives the published 61,706 parameters.
    batch_norm : whether batch normalisation follows each convolution.
    dropout : share of the classifier's hidden units that is dropped in training.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document
    recognition", Proceedings of the IEEE 86. There: trainable pooling, a scaled tanh, and
    Gaussian output units.
    """

    def __init__(self, channels=1, size=28, classes=10, batch_norm=False, dropout=0.0):
        super().__init__()
        side = (size // 2 - 4) // 2  # after padding, pooling, a 5×5 convolution, pooling
        if side < 1:
            raise ValueError(f"LeNet needs images of at least 12×12 pixels; got {size}×{size}")

        def norm(channels):
            return [nn.BatchNorm2d(channels)] if batch_norm else []

        def drop():
            return [nn.Dropout(dropout)] if dropout else []

        self.features = nn.Sequential(  # [B, C, S, S]
            nn.Conv2d(channels, 6, kernel_size=5, padding=2),  # [B, 6, S, S]
            *norm(6),
            nn.ReLU(),
            nn.MaxPool2d(2),  # [B, 6, S/2, S/2]
            nn.Conv2d(6, 16, kernel_size=5),  # [B, 16, S/2 - 4, S/2 - 4]
            *norm(16),
            nn.ReLU(),
            nn.MaxPool2d(2),  # [B, 16, s, s]
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),  # [B, 16 s²]
            nn.Linear(16 * side**2, 120),
            nn.ReLU(),
            *drop(),
            nn.Linear(120, 84),
            nn.ReLU(),
            *drop(),
            nn.Linear(84, classes),
        )

    def forward(self, images):
        """Map images [B, C, S, S] to logits [B, K]."""
        check_square(images)
        return self.classifier(self.features(images))


def check_square(images):
    """Raise a ValueError unless images [B, C, S, S] are square: poolings would cut off the rest."""
    if images.shape[-2] != images.shape[-1]:
        raise ValueError(f"images must be square, [B, C, S, S]; got {list(images.shape)}")
