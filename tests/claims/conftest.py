"""What the tests of the rules share."""

import pytest

from helpers.claims.findings import Finding, rule


@pytest.fixture
def judge():
    """Return a function that tests a claim on made-up records, and gives its parts' initials."""

    def judge(claim, records, others=None, **more):
        found = Finding(claim, *rule(claim)(lambda name: records.get(name, others), **more))
        sentences = [found.lead, *(sentence for _, sentence in found.measured)]
        assert found.test and all(text.endswith(".") and "nan" not in text for text in sentences)
        return "".join(verdict.name[0] for verdict in found.parts.values()), found.values

    return judge
