"""What holds wherever pytest is called: which outputs nbval compares, and at which scale."""

import os

os.environ.pop("COURSE_SCALE", None)  # the reader's own choice plays no part


def pytest_configure(config):
    config.option.nbval_sanitize_with = str(config.rootpath / "tests" / "nbval_sanitize.cfg")
