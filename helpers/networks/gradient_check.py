"""Is a gradient that was derived by hand the gradient? Differences of the function tell."""

import numpy as np


def numerical_gradient(function, array, step=1e-6):
    """Estimate d function / d array by central differences, one entry at a time.

    Parameters
    ----------
    function : callable without arguments, returning a float
        Must read `array`, which is changed in place and put back.
    array : ndarray of float64
    step : float
        Half the distance between the two evaluations.

    Returns
    -------
    ndarray like `array`
    """
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        value = array[index]
        array[index] = value + step
        above = function()
        array[index] = value - step
        below = function()
        array[index] = value
        gradient[index] = (above - below) / (2 * step)
    return gradient


def gradient_error(analytic, numerical):
    """Relative error `‖a - n‖ / (‖a‖ + ‖n‖)`: 0 when equal, 1 when opposite, 0 if both vanish."""
    scale = np.linalg.norm(analytic) + np.linalg.norm(numerical)
    return float(np.linalg.norm(analytic - numerical) / scale) if scale else 0.0
