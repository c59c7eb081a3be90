"""The list of every experiment that the book reports."""

from helpers import numpy_experiments, vision_experiments, voc_experiments  # noqa: F401 (they list themselves)
from helpers.experiment import EXPERIMENTS, SCALES, Experiment

__all__ = ["EXPERIMENTS", "SCALES", "Experiment"]
