"""What holds wherever pytest is called: which outputs nbval compares."""


def pytest_configure(config):
    config.option.nbval_sanitize_with = str(config.rootpath / "tests" / "nbval_sanitize.cfg")
