"""What commands share: whole numbers, and one sentence for everything that can go wrong."""

import argparse

import pytest

from benchmarks.commands import whole_number
from helpers.runs.records import RecordError, exit_status


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (RecordError("it is missing: mend it"), 2, "error: it is missing: mend it\n"),
        (KeyError("unknown name 'x'"), 2, "error: unknown name 'x'\n"),
        (OSError(28, "No space left", "f.json"), 2,
         "error: f.json: No space left; what was there before is intact\n"),
        (KeyboardInterrupt(), 130, "\nstopped; nothing was written\n"),
    ],
)  # fmt: skip
def test_an_error_becomes_a_sentence_and_a_status(capsys, error, status, said):
    def fail():
        raise error

    ends = "what was there before", "stopped; nothing was written"
    assert exit_status(fail, (RecordError, KeyError), *ends) == status
    assert capsys.readouterr().err == said


def test_success_is_silent_and_a_bug_is_not_hidden(capsys):
    assert exit_status(lambda: None, (), "all", "stopped") == 0
    assert capsys.readouterr() == ("", "")
    with pytest.raises(ZeroDivisionError):
        exit_status(lambda: 1 / 0, (RecordError,), "all", "stopped")


@pytest.mark.parametrize(
    ("limits", "text", "number"),
    [({}, "1", 1), ({"most": 7}, "7", 7), ({"least": 16, "step": 16}, "32", 32)],
)
def test_a_whole_number_is_taken(limits, text, number):
    assert whole_number(**limits)(text) == number


@pytest.mark.parametrize(
    ("limits", "text", "wanted"),
    [
        ({}, "0", "from 1 on"),
        ({}, "-1", "from 1 on"),
        ({}, "many", "from 1 on"),
        ({}, "1.5", "from 1 on"),
        ({"most": 7}, "8", "from 1 to 7"),
        ({"least": 16, "step": 16}, "40", "from 16 on, a multiple of 16"),
    ],
)
def test_any_other_is_refused_with_what_was_wanted(limits, text, wanted):
    with pytest.raises(
        argparse.ArgumentTypeError, match=f"'{text}' is not a whole number {wanted}$"
    ):
        whole_number(**limits)(text)
