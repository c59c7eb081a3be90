"""Tests of `tests.page_numbers`."""

from tests.page_numbers import differences, numbers_of

PAGE = (
    "<article><p>It reaches {0}% after 3 epochs.</p><table><tr><td>{1}</td></tr></table></article>"
)


def test_numbers_and_rows_are_found_and_compared():
    before, after = (numbers_of(PAGE.format(*given)) for given in ((97.5, 1), (97.6, 2)))
    assert [number for number, _ in before["numbers"]] == ["97.5%", "3"]
    assert before["rows"] == [["1"]]
    assert differences({"a": before}, {"a": before}) == []
    found = differences({"a": before}, {"a": after})
    assert [line.split(" in:")[0] for line in found] == [
        "a: - row 1", "a: + row 2", "a: - number 97.5%", "a: + number 97.6%",
    ]  # fmt: skip
    assert differences({"a": before}, {}) == ["a: only before"]
