"""What the tests of the rules share."""

import pytest

from helpers.claims.findings import Finding, rule


@pytest.fixture
def judge():
    """Return a function that tests a claim on made-up records."""

    def judge(claim, records, others=None, **more):
        found = Finding(claim, *rule(claim)(lambda name: records.get(name, others), **more))
        assert found.test and found.effect.endswith(".") and "nan" not in found.effect
        return found

    return judge
