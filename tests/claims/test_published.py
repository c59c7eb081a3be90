"""The page of published results: every number of the course has its row, beside runs on record."""

import html
import re
from dataclasses import replace

import numpy as np
import pytest
from legible import assert_legible, words
from linked import listed, on_record

from helpers.analysis.summaries import Marked
from helpers.claims import published, published_view
from helpers.claims.evidence import section_with
from helpers.claims.published import ABSENT, AGAIN, PARTLY, UNCLEAR, Measured, Row, outcome
from helpers.runs.experiments import recorded

# Copied from the course's report by hand: what must not be missing, whatever the code says.
NUMBERS = {
    2: [0.2081, 0.9603, 0.2226, 0.9568],
    3: [0.9917, 0.9857, 0.9942, 0.9714, 0.9715, 0.0011, 0.0261, 0.0128],
    4: [
        0.8906, 0.7703, 0.7454, 0.7577, 0.8828, 0.7716, 0.7386, 0.7547,
        0.9153, 0.8512, 0.8114, 0.8308, 0.8525, 0.7141, 0.6878, 0.7007,
    ],
}  # fmt: skip
SECOND_ATTEMPT = [0.659, 0.854, 0.894, 0.686, 0.684, 0.718]
SIZES = ["21M", "432M", "43M", "83M / 169M"]
FITTING = ["abs×abs", "exp×exp", "exp×cos", "sin×sin", "x²", "ReLU", "sigmoid", "sort", "permute"]
FAILING = ["1/x × 1/x", "tan×tan", "sgn"]


@pytest.fixture(scope="module")
def rows():
    return {practice: make() for practice, make in published.PRACTICES.items()}


def test_every_published_number_has_a_row_and_one_only(rows):
    for practice, numbers in NUMBERS.items():
        assert [row.published for row in rows[practice]] == numbers
    assert [row.published for row in published.single_label()] == SECOND_ATTEMPT
    assert published_view.sizes()["published"].tolist() == SIZES
    assert [row.model for row in rows[5] if row.published] == FITTING
    assert [row.model for row in rows[5] if not row.published] == FAILING
    assert [row.published for row in rows[1]] == [1.0]


def test_every_row_rests_on_runs_or_says_that_there_are_none(rows):
    for row in (row for some in rows.values() for row in some):
        if row.ours is None:
            assert row.outcome == ABSENT
        for found in filter(None, (row.ours, row.best)):
            assert found.n >= 1 and np.isfinite(found.mean)
            assert found.interval is None or found.interval.n == found.n


def test_ours_are_the_records_own_figures(rows):
    lenet = next(row for row in rows[3] if (row.model, row.figure) == ("LeNet", published.ACCURACY))
    runs = recorded("mnist-lenet")
    assert lenet.ours.values == tuple(run.metrics["eval_accuracy"] for run in runs)
    assert lenet.best.values != lenet.ours.values
    best = next(row for row in rows[4] if (row.model, row.figure) == ("ViT", published.F1)).best
    (name,) = best.experiments  # over all images, as the runs themselves measured it
    assert best.values == pytest.approx(
        [run.metrics["eval_f1"] for run in recorded(name)], abs=1e-3
    )


def test_every_link_leads_to_records_that_are_there(rows):
    for some in [*rows.values(), published.single_label()]:
        shown = published_view.table(some)
        for row, cells in zip(some, shown.to_dict("records"), strict=True):
            for found, column in (
                (row.ours, "ours, in the published settings"),
                (row.best, "ours, best recipe"),
            ):
                if found is None:
                    assert cells[column] == "–"
                    continue
                assert isinstance(cells[column], Marked)
                (address,) = re.findall('href="([^"]+)"', cells[column].markup)
                assert listed(html.unescape(address)) == list(found.experiments)
                assert all(map(on_record, found.experiments))
                assert str(cells[column]).replace("\u00a0", " ").count(f"n = {found.n}") == 1


@pytest.mark.parametrize("practice", published_view.SHOWN_BY)
def test_the_way_to_a_chapter_is_there(practice):
    section = section_with(published_view.SHOWN_BY[practice])
    assert section.notebook.startswith(f"0{practice}_")
    assert f'href="{section.address}"' in published_view.way(practice)._repr_html_()


# ---------------------------------------------------------------------------- the rules


@pytest.mark.parametrize(
    ("values", "target", "said"),
    [
        ((0.97, 0.972, 0.974), 0.9725, AGAIN),
        ((0.970, 0.971, 0.972), 0.98, "lower"),
        ((0.970, 0.971, 0.972), 0.96, "higher"),
        ((0.970, 0.971, 0.972), 0.9755, UNCLEAR),  # outside our mean's interval: it is one run
        ((0.90, 0.95, 1.00), 0.99, UNCLEAR),  # far, but the runs scatter further
        ((0.90,), 0.99, UNCLEAR),  # one run
        ((0.989,), 0.99, AGAIN),
    ],
)
def test_an_outcome_follows_from_the_prediction_interval(values, target, said):
    assert outcome(Measured(values, ("x",)), target, 0.003) == said


def test_nothing_has_come_of_what_is_not_recorded():
    assert outcome(None, 0.5, 0.003) == ABSENT
    assert published._measured("no-such-experiment", "eval_accuracy") is None


@pytest.mark.parametrize(
    ("worked", "of", "claim", "said"),
    [
        (200, 200, 1, AGAIN), (0, 200, 0, AGAIN), (0, 200, 1, "not so"), (200, 200, 0, "not so"),
        (170, 200, 1, PARTLY), (3, 3, 1, PARTLY),
    ],
)  # fmt: skip
def test_a_share_must_be_high_or_low_with_its_whole_interval(worked, of, claim, said):
    share = Measured((True,) * worked + (False,) * (of - worked), ("x",), share=True)
    assert published._works(share, claim) == said


def test_a_better_recipe_counts_only_if_it_is_as_long_as_the_published_one(monkeypatch):
    def best():
        return next(row for row in published.digits() if row.model == "LeNet").best

    monkeypatch.setitem(published.BETTER_VISION, "LeNet", ("tune-lenet-annealed", "best-lenet"))
    assert best().experiments == ("best-lenet",)
    monkeypatch.setitem(published.BETTER_VISION, "LeNet", ("tune-lenet-annealed", "not-listed"))
    assert best().experiments == ("tune-lenet-annealed",)
    longer = published.PUBLISHED_VISION["LeNet"] | {"epochs": 21}
    monkeypatch.setitem(published.PUBLISHED_VISION, "LeNet", longer)
    assert best() is None


# ----------------------------------------------------------------------- what is shown


def made_up(outcome=AGAIN, best=None):
    ours = Measured((0.90, 0.91, 0.92), ("mnist-lenet",))
    return Row("Net", published.ACCURACY, 0.91, ours, best, outcome)


def test_the_minute_counts_outcomes_and_what_is_beaten(monkeypatch):
    better = Measured((0.95, 0.951, 0.952), ("best-lenet",), "longer")
    once = replace(made_up(UNCLEAR), model="Once", best=Measured((0.99,), ("best-lenet",)))
    gone = replace(made_up(ABSENT), model="Gone", ours=None)
    monkeypatch.setattr(published_view, "headlines", lambda: ([made_up(best=better), once], [gone]))
    assert published_view.in_a_minute() == (
        "Of 3 published test accuracies and F1 values,",
        "- **1 came out again**: on digits Net.",
        "- **1 can't be told**: on digits Once. One more run of ours might end there, or we have "
        "only one.",
        "- **1 not recorded yet**: on photographs Gone.",
        # One run beats nothing clearly.
        "A better recipe of ours is recorded for 2 of them. With its whole interval it is above "
        "the published value for Net on digits (+0.0410).",
    )


def test_a_cell_says_recipe_and_seeds():
    row = replace(made_up(), best=Measured((0.95,), ("best-lenet",), "longer"))
    (cells,) = published_view.table([row]).to_dict("records")
    assert str(cells["ours, in the published settings"]).endswith("], n\u00a0=\u00a03")
    assert str(cells["ours, best recipe"]) == "0.9500, n\u00a0=\u00a01 (longer)"
    assert cells["published"] == "0.9100"


def test_the_chart_is_legible_and_has_a_row_for_each_headline():
    figure = published_view.chart()
    assert_legible(figure)
    digits, photographs = published_view.headlines()
    assert len(digits) == 6 and len(photographs) == 4
    shown = words(figure)
    assert all(row.model in shown for row in (*digits, *photographs))


def test_the_column_called_parameters_is_the_checkpoints_size_in_mib():
    table = published_view.sizes().set_index("model")
    assert float(table.loc["ResNet-18", "our checkpoint, MiB"]) == pytest.approx(43, abs=0.5)
    assert float(table.loc["LeNet", "our checkpoint, MiB"]) == pytest.approx(21, abs=0.5)
    assert table.loc["ViT", "our parameters"] == "–"
