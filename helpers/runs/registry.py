"""The list of every experiment that the book reports."""

from helpers.runs.experiment import EXPERIMENTS, SCALES, Experiment

__all__ = ["EXPERIMENTS", "SCALES", "Experiment"]
