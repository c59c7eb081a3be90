"""What is known of the half-moons exactly: their densities, and how well anyone can do.

The points of a class lie evenly along a half circle, plus Gaussian noise. So the density of
each class can be computed, and with it the best possible classifier, against which a network
is measured.
"""

import numpy as np
from scipy.integrate import trapezoid
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

ANGLES = (np.arange(1000) + 0.5) / 1000 * np.pi  # evenly along a half circle
CENTRES = (
    np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1),  # class 0, the upper one [1000, 2]
    np.stack([1 - np.cos(ANGLES), 0.5 - np.sin(ANGLES)], axis=1),  # class 1, the lower one
)

#: What of the half-moons' plane is shown: the points and a margin.
LIMITS = ((-2.1, 3.1), (-1.6, 2.1))


def plane_grid(x_limits, y_limits, step=0.02):
    """Return points [rows * columns, 2] `step` apart over a rectangle, and their two axes."""
    xs = np.arange(x_limits[0], x_limits[1] + step / 2, step)
    ys = np.arange(y_limits[0], y_limits[1] + step / 2, step)
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2), xs, ys


def check_noise(noise):
    """Raise a ValueError unless there is noise: without any there is no density."""
    if not 0 < noise < np.inf:
        raise ValueError(f"noise must be positive, for there to be a density; got {noise}.")


def densities(xs, ys, noise):
    """Return each class's probability density, [2, rows, columns], on a grid with these two axes.

    A ValueError is raised unless the noise's standard deviation is positive.
    """
    check_noise(noise)

    def along(axis, centre):  # [points of the axis, 1000]
        return np.exp(-((axis[:, None] - centre) ** 2) / (2 * noise**2))

    # A Gaussian in the plane is a product of two on the line, so that the mean over the
    # circle's points is a matrix product.
    scale = len(ANGLES) * 2 * np.pi * noise**2
    return np.stack(
        [along(ys, centres[:, 1]) @ along(xs, centres[:, 0]).T / scale for centres in CENTRES]
    )


def bayes_accuracy(noise, step=0.01):
    """Compute the accuracy of the best possible classifier, when both classes are as frequent.

    It always names the class whose density is larger, and is right half the time of the
    larger density (the Bayes classifier). The integration's points are `step` apart.
    """
    check_noise(noise)
    reach = 1 + 7 * noise  # beyond it less than 1e-11 of the points lie
    xs = np.arange(-reach, 1 + reach, step)
    ys = np.arange(-reach, 1 + reach, step)
    larger = densities(xs, ys, noise).max(axis=0)
    return float(trapezoid(trapezoid(larger, xs), ys) / 2)


def bayes_predict(points, noise):
    """Return the class, int64 [N], that the best possible classifier names for points [N, 2]."""
    check_noise(noise)
    squares = [cdist(points, centres, "sqeuclidean") for centres in CENTRES]
    upper, lower = (logsumexp(-square / (2 * noise**2), axis=1) for square in squares)
    return (lower > upper).astype(np.int64)
