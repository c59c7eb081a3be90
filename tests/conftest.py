"""What every test shares: no window opens, and the reader's choice of scale plays no part."""

import os

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib
os.environ.pop("COURSE_SCALE", None)

import helpers  # noqa: F401 - before any test imports torchvision
