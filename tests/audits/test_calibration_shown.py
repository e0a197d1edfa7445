"""What a reader is shown of calibration: names of exhibits, columns and axes, figures in sentences, settings, spelling."""

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench_audits.calibration.audit import audit
from glassbench_plugins.supervised.quantile_regression import QuantileRegression

CALLED = {
    "probabilities": {
        "Stated against observed": ("bin", "rows", "mean stated", "came true", "low", "high"),
        "Calibration per group": (
            *("feature", "group", "rows", "stated minus observed"),
            *("low", "high", "calibration error", "p (corrected)"),
        ),
        "Sets of classes that promise to hold the truth in 80 % of rows": (
            *("rows of", "n", "hold it", "low", "high", "mean size of a set", "corrected p"),
        ),
    },
    "intervals": {
        "Intervals that promise to hold weight in 90 % of rows": (
            *("rows of", "n", "hold it", "low", "high", "mean width (kg)", "interval score (kg)", "corrected p"),
        ),
        "Predicted quantiles": ("quantile", "truths at or below it", "low", "high", "pinball loss (kg)"),
    },
}
DRAWN = {
    "probabilities": {
        "Reliability": ("lines", "stated probability of “1”", "share that came true", ("diagonal", "as stated")),
        "Stated probabilities": ("histogram", "stated probability of “1”", "rows", None),
        "Stated minus observed per group": (
            *("intervals", "mean stated probability minus share that came true", "", (0.0, "as stated")),
        ),
    },
    "intervals": {
        "Coverage": ("intervals", "share of rows whose interval holds the truth", "", (0.9, "promised")),
        "Coverage by width": ("lines", "width of the interval (kg)", "share of rows whose interval holds the truth", None),
        "Predicted quantiles": ("lines", "level of the quantile", "share of truths at or below it", None),
    },
}
NAMES = ("Holm", "Fisher", "Clopper", "Pearson", "Jeffreys", "Kish")
SETTINGS = {"bins": 7, "tolerance": 0.03, "promised": 0.8, "shortfall": 0.2, "level": 0.9, "replicates": 60}


@pytest.fixture
def shown(classification) -> dict[str, AuditResult]:
    chance = np.random.default_rng(3)
    sex, stated = chance.choice(["f", "m"], 300), chance.beta(2, 2, 300)
    came = (chance.random(300) < np.where(sex == "f", stated**3, stated)).astype(int)
    subject = classification(came, (stated > 0.5).astype(int), {"sex": sex}, scores=stated, favourable="1")
    return {"probabilities": audit(subject, **SETTINGS), "intervals": audit(weighed(), shortfall=0.2, level=0.9)}


def weighed(n: int = 200) -> Subject:
    """Intervals of weights, narrow and wide ones, of which those in the north miss more often."""
    chance, place = np.random.default_rng(4), np.arange(n)
    half, site = np.where(place < n // 2, 10.0, 14.0), np.where(place % 2, "north", "south")
    truth = 70 + chance.normal(0, 4, n) + np.where((site == "north") & (place % 5 == 0), 25, 0)
    ends = {"low": 70 - half, "high": 70 + half, "crossed": place < 3}
    levels = {f"quantile.{level:g}": 70 + s * half for level, s in ((0.05, -1), (0.5, 0), (0.95, 1))}
    frame = pd.DataFrame({"row": place, "y_true": truth, "y_pred": 70.0, **ends, **levels, "group.site": site})
    schema = Schema(modality="table", shape=(1,), target=Target(name="weight", kind="value", unit="kg"), sensitive=("site",))
    task = QuantileRegression(conformal="none")
    task.check(schema)
    return Subject(schema=schema, predictions=Predictions(frame=frame), task=task, seed=9)


def sentences(result: AuditResult) -> Iterator[str]:
    """Everything that is said in whole sentences."""
    yield result.method.summary
    yield from result.method.cautions
    yield from (chart.message for chart in result.charts)
    yield from (table.note for table in result.tables if table.note is not None)
    for finding in result.findings:
        yield from filter(None, (finding.sentence, finding.next_step))


def labels(result: AuditResult) -> Iterator[str]:
    """Everything that is called by a name."""
    for table in result.tables:
        yield from (table.title, *table.columns)
    for chart in result.charts:
        yield from (chart.title, chart.x_title, chart.y_title, *([] if chart.reference is None else [str(chart.reference[1])]))
        yield from (str(row[key]) for row in chart.rows for key in ("y", "color", "size") if isinstance(row.get(key), str))


@pytest.mark.parametrize("kind", CALLED)
def test_tables_and_their_columns_are_called(shown, kind):
    assert {table.title: table.columns for table in shown[kind].tables} == CALLED[kind]


@pytest.mark.parametrize("kind", DRAWN)
def test_charts_and_their_axes_are_called(shown, kind):
    found = {chart.title: (chart.kind, chart.x_title, chart.y_title, chart.reference) for chart in shown[kind].charts}
    assert found == DRAWN[kind]


@pytest.mark.parametrize("kind", CALLED)
def test_sentences_are_spelled_as_sentences_and_nothing_is_shouted(shown, kind):
    for text in sentences(shown[kind]):
        assert re.match(r"[A-Z0-9].*[^ ][.]$", text), text
        assert not re.search(r"[.] [a-z]", text), text
        assert not re.search(r"[.]{2}|  | [.,;:](?!\d)|None|nan", text), text
        assert not any(re.search(rf"\b{name.lower()}\b", text) for name in NAMES), text
    for text in (*sentences(shown[kind]), *labels(shown[kind]), *shown[kind].method.references):
        assert not re.search(r"[A-Z]{2}", text), text
        assert text == text.strip()


@pytest.mark.parametrize(("kind", "papers"), [("probabilities", 5), ("intervals", 5)])
def test_papers_are_cited_by_authors_year_and_title(shown, kind, papers):
    cited = shown[kind].method.references
    assert len(set(cited)) == papers
    assert all(re.fullmatch(r"[A-ZÀ-Þ][^()]+ \((19|20)\d\d\): [A-Z][^.]+", paper) for paper in cited), cited
    assert all(name[:1].isupper() for paper in cited for name in paper.split(" (")[0].split(", "))


def test_settings_are_recorded_and_reach_every_figure(shown):
    found = shown["probabilities"]
    assert found.method.parameters == {**SETTINGS, "fewest_rows": 20, "seed": 0}
    assert shown["intervals"].method.parameters == {"promised": 0.9, "shortfall": 0.2, "level": 0.9, "rows": 200, "seed": 9}
    for result in shown.values():
        assert {m.level for m in result.measures if m.low is not None} == {0.9}
    assert len(found.tables[0].rows) == 7
    p = next(m.value for m in found.measures if m.name == "calibration.p_value")
    assert p * 61 == pytest.approx(round(p * 61))


def test_charts_show_the_figures_of_their_tables(shown):
    tables = {table.title: table for result in shown.values() for table in result.tables}
    charts = {chart.title: chart for result in shown.values() for chart in result.charts}
    bins = tables["Stated against observed"].rows
    assert [row[0] for row in bins] == list(range(1, 8))
    assert [(row["x"], row["y"], row["low"], row["high"]) for row in charts["Reliability"].rows] == [row[2:] for row in bins]
    outside = sum(not low <= stated <= high for _, _, stated, _, low, high in bins)
    assert f"In {outside} of 7 bins" in charts["Reliability"].message
    groups = tables["Calibration per group"].rows
    drawn = charts["Stated minus observed per group"].rows
    assert [(row["y"], row["size"]) for row in drawn] == [(f"{feature}: {group}", f"n {n}") for feature, group, n, *_ in groups]
    assert [(row["x"], row["low"], row["high"]) for row in drawn] == [row[3:6] for row in groups]
    worst = max(groups, key=lambda row: abs(row[3]))
    assert f"sex “{worst[1]}”, by {worst[3]:+.3f}." in charts["Stated minus observed per group"].message
    held = next(table for title, table in tables.items() if title.startswith("Intervals")).rows
    assert [(row["y"], row["x"], row["low"], row["high"], row["size"]) for row in charts["Coverage"].rows] == [
        (words, share, low, high, f"n {n}") for words, n, share, low, high, *_ in held
    ]
    assert "Lowest for site: north" in charts["Coverage"].message


def test_measures_are_the_figures_of_the_tables(shown):
    measured = {(m.name, *(m.group or {}).values()): m for result in shown.values() for m in result.measures}
    tables = [table for result in shown.values() for table in result.tables]
    for feature, group, n, bias, low, high, error, p in tables[1].rows:
        one = measured["calibration.bias", group]
        assert (one.value, one.low, one.high, one.n, one.by) == (bias, low, high, n, (feature,))
        assert measured["calibration.calibration_error", group].value == error
        assert measured["calibration.p_value", group].value == p
        assert measured["calibration.p_value", group].by == (feature,)
    for words, n, _, _, _, size, _ in tables[2].rows:
        key = () if words == "all rows" else (words.removeprefix("sex: "),)
        assert (measured["calibration.set_size", *key].value, measured["calibration.set_size", *key].n) == (size, n)
    for words, _, _, _, _, width, score, _ in tables[3].rows:
        key = () if words == "all rows" else (words.removeprefix("site: "),)
        assert (measured["calibration.width", *key].value, measured["calibration.interval_score", *key].value) == (width, score)
        assert measured["calibration.width", *key].unit == measured["calibration.interval_score", *key].unit == "kg"
    for level, below, low, high, loss in tables[4].rows:
        one = measured[f"calibration.share_below[{level:g}]",]
        assert (one.value, one.low, one.high, one.unit) == (below, low, high, None)
        assert measured[f"calibration.pinball_loss[{level:g}]",].value == loss
        assert measured[f"calibration.pinball_loss[{level:g}]",].unit == "kg"


def test_only_what_is_an_error_is_better_lower(shown):
    better = {m.name.partition("[")[0]: m.higher_is_better for result in shown.values() for m in result.measures}
    lower = {
        "calibration_error",
        "brier",
        "reliability",
        "set_size",
        "width",
        "interval_score",
        "pinball_loss",
        "crossed_quantiles",
    }
    assert {name.removeprefix("calibration.") for name, up in better.items() if up is False} == lower
    assert [name for name, up in better.items() if up] == ["calibration.resolution"]
    assert {name for name, up in better.items() if up is None} == {
        f"calibration.{name}" for name in ("bias", "p_value", "uncertainty", "coverage", "share_below")
    }


def test_findings_name_measures_and_charts_that_there_are(shown):
    for result in shown.values():
        assert result.findings
        for finding in result.findings:
            assert set(finding.measures) <= {m.name for m in result.measures}
            assert finding.chart in {None, *(chart.title for chart in result.charts)}
            assert bool(finding.next_step) == (finding.grade != "ok")


def test_more_is_told_where_quantiles_crossed_and_rows_weigh(shown, classification):
    assert any("In 3 of 200 rows" in text for text in shown["intervals"].method.cautions)
    assert any("Binning hides" in text for text in shown["probabilities"].method.cautions)
    plain = weighed()
    frame = plain.predictions.frame.assign(weight=1.0 + np.arange(200) % 2, crossed=False)
    told = audit(Subject(**{**vars(plain), "predictions": Predictions(frame=frame)})).method.cautions
    assert [len(told), len(shown["intervals"].method.cautions)] == [3, 3]
    assert "weigh rows: these 200 rows say as much as 180 of equal weight" in told[0]  # 300 ** 2 / 500
    assert not any("out of order" in text for text in told)
