"""The claims of practice 3 put to the test: rules that turn records into verdicts."""

from helpers.experiments import recorded  # noqa: F401

TESTS = {}
