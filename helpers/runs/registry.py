"""The list of every experiment that the book reports."""

from helpers.runs.catalogue import numpy_networks, tiny_voc, vision  # noqa: F401
from helpers.runs.experiment import EXPERIMENTS, SCALES, Experiment

__all__ = ["EXPERIMENTS", "SCALES", "Experiment"]
