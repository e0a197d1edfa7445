"""What mentions of identity terms do, from a model that is a sum over words: swaps both ways, areas, grades and corrections."""

from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from glassbench.contracts.data import Split
from glassbench.stats.intervals import wilson
from glassbench_audits.fairness.frames.subgroup_auc import Area, area, areas
from glassbench_audits.fairness.identity_exhibits import area_finding, swap_finding
from glassbench_audits.fairness.identity_terms import Limits, identity
from glassbench_audits.fairness.swaps import Swapped, each_swap
from glassbench_audits.fairness.terms import Swap, swapped

TERMS = {"kin": {"she": ("she", "aunt"), "he": ("he", "uncle")}}
WORTH = {"she": 0.1, "aunt": 0.3, "good": 0.4, "he": 0.0, "uncle": 0.05}


class Reader:
    """An encoder of texts that leaves them as they are."""

    text = "said"

    def encode(self, raw: pd.DataFrame) -> Split:
        return Split(inputs=(), rows=np.arange(len(raw)), raw=raw)

    def pieces(self, raw: pd.DataFrame) -> list[tuple[()]]:
        return [()] * len(raw)


def decided(texts: list[str], classes: tuple[str, ...]) -> pd.DataFrame:
    """Scores that are sums over words, shared out among the classes, and the class of the highest."""
    worth = np.array([sum(WORTH.get(word, 0.0) for word in text.split()) for text in texts])
    if len(classes) == 2:
        scores = np.stack([1 - worth, worth], axis=1)
    else:
        scores = np.stack([0.5 - worth / 2, worth, 0.5 - worth / 2 - 0.01], axis=1)
    frame = pd.DataFrame(scores, columns=[f"score.{name}" for name in classes])
    return frame.assign(y_pred=np.array(classes)[scores.argmax(axis=1)])


def subject(texts: list[str], classes: tuple[str, ...] = ("no", "yes"), positive: str | None = None) -> SimpleNamespace:
    task = SimpleNamespace(predict=lambda model, rows: SimpleNamespace(frame=decided(rows.raw["said"].tolist(), classes)))
    output = SimpleNamespace(classes=classes, spoken=positive or "".join(classes[-1:]), actual=None, scores=None, known=False)
    return SimpleNamespace(
        predictions=SimpleNamespace(source=Reader().encode(pd.DataFrame({"said": texts}))),
        model=object(),
        encoder=Reader(),
        task=task,
        class_outputs=(output,) if classes else (),
        kind=SimpleNamespace(self_supervised=not classes),
        schema=SimpleNamespace(target=SimpleNamespace(classes=classes, positive=positive)),
        generator=lambda purpose: np.random.default_rng(len(purpose)),
    )


TEXTS = ["good aunt", "she good", "good good", "he is", "uncle he", "she", "plain"]
THREE = ["good aunt", "she aunt", "she"]


def test_every_swap_is_made_both_ways_on_the_texts_that_it_changes() -> None:
    found = {each.swap.words: each for each in each_swap(subject(TEXTS), TEXTS, TERMS, 99)}
    assert list(found) == ["she to he", "he to she"]
    to_he, to_she = found.values()
    assert (to_he.positions.tolist(), to_he.after) == ([0, 1, 5], ["good uncle", "he good", "he"])
    assert to_he.shift == pytest.approx([-0.25, -0.1, -0.1])
    assert to_he.flipped.tolist() == [True, False, False]  # from .7 for yes to .45
    assert (to_she.positions.tolist(), to_she.after) == ([3, 4], ["she is", "aunt she"])
    assert to_she.shift == pytest.approx([0.1, 0.35])


def test_the_shift_is_that_of_the_positive_class_of_two() -> None:
    to_he = next(each_swap(subject(TEXTS, positive="no"), TEXTS, TERMS, 99))
    assert to_he.shift == pytest.approx([0.25, 0.1, 0.1])


def test_of_more_classes_the_shift_is_that_of_the_class_decided_before() -> None:
    to_he = next(each_swap(subject(THREE, classes=("a", "b", "c")), THREE, TERMS, 99))
    before, after = (decided(texts, ("a", "b", "c")) for texts in (to_he.before, to_he.after))
    expected = [after[f"score.{k}"][i] - before[f"score.{k}"][i] for i, k in enumerate(before["y_pred"])]
    assert (before["y_pred"].tolist(), after["y_pred"].tolist()) == (["b", "b", "a"], ["b", "a", "a"])
    assert to_he.shift == pytest.approx(expected)
    assert to_he.flipped.tolist() == [False, True, False]


def test_of_a_language_model_the_shift_is_the_rise_of_the_likelihood() -> None:
    made = subject(TEXTS, classes=())
    loss = {text: float(len(text)) for text in [*TEXTS, "good uncle", "he good", "he"]}
    made.task.predict = lambda model, rows: SimpleNamespace(frame=rows.raw)
    made.task.metrics = [SimpleNamespace(compute=lambda frame, weights: weights @ frame["said"].map(loss).to_numpy())]
    to_he = next(each_swap(made, TEXTS, TERMS, 99))
    assert to_he.shift.tolist() == [-1.0, 1.0, 1.0]
    assert len(to_he.flipped) == 0


def test_at_most_so_many_texts_are_asked_about() -> None:
    found = list(each_swap(subject(TEXTS), TEXTS, TERMS, 2))
    assert [len(each.positions) for each in found] == [2, 2]
    assert set(found[0].positions.tolist()) < {0, 1, 5}


def test_where_a_term_stands_twice_the_first_place_counts() -> None:
    assert swapped("a aunt b", ["aunt", "x", "aunt"], ["uncle", "y", "brother"]) == "a uncle b"


def measures(found) -> Mapping[str, object]:
    return {m.name: m for m in found.measures}


def test_flips_over_all_swaps_count_texts_and_not_swaps() -> None:
    texts = ["good aunt"] * 3 + ["he"] * 9
    found = measures(identity(subject(texts), terms=TERMS, replicates=50))
    assert found["identity.flip_share[she to he]"].value == 1
    assert found["identity.flip_share[he to she]"].value == 0
    whole = found["identity.flip_share"]
    assert (whole.value, whole.n) == (3 / 12, 12)
    assert (whole.low, whole.high) == pytest.approx([float(end) for end in wilson(np.array(3), np.array(12), 0.95)])
    assert found["identity.score_shift[she to he]"].value == pytest.approx(-0.25)
    assert found["identity.score_shift[she to he]"].group == {"kin": "she"}


def limits(**more: object) -> Limits:
    return Limits(**{"flips": 0.2, "shift": 0.1, "auc": 0.1, "level": 0.95, "replicates": 400, "least": 10, **more})


def outcome(flipped: int, n: int, shift: float = 0.0) -> Swapped:
    done = np.arange(n) < flipped
    swap = Swap(family="kin", written="she", put="he")
    return Swapped(swap=swap, positions=np.arange(n), before=[], after=[], flipped=done, shift=np.full(n, shift))


@pytest.mark.parametrize(
    ("flipped", "n", "shift", "grade"),
    [
        (0, 100, 0.0, "ok"),
        (40, 100, 0.0, "concern"),
        (20, 100, 0.0, "unclear"),
        (0, 100, 0.2, "concern"),
        (0, 100, -0.2, "concern"),
        (0, 100, -0.09, "ok"),
        (9, 9, 0.2, "unclear"),
        (10, 10, 0.2, "concern"),
    ],
)
def test_a_swap_may_flip_few_decisions_and_move_scores_little_either_way(flipped, n, shift, grade) -> None:
    made = subject(TEXTS)
    assert swap_finding(made, outcome(flipped, n, shift), limits(), 0.95).grade == grade


def test_a_swap_is_graded_at_the_level_at_which_all_hold_together() -> None:
    share = outcome(14, 40)
    alone, corrected = (share.flips(level)[1] for level in (0.95, 1 - 0.05 / 4))
    found = swap_finding(subject(TEXTS), share, limits(flips=(alone + corrected) / 2), 1 - 0.05 / 4)
    assert found.grade == "unclear"
    assert "once the number of comparisons is allowed for" in found.sentence
    assert swap_finding(subject(TEXTS), share, limits(flips=(alone + corrected) / 2), 0.95).grade == "concern"


def test_findings_of_swaps_allow_for_flips_and_shifts_of_all_of_them() -> None:
    texts = ["good aunt"] * 14 + ["aunt"] * 26 + ["he"] * 40  # 14 of 40 flip one way, none the other
    ends = [wilson(np.array(14), np.array(40), level)[0] for level in (0.95, 1 - 0.05 / 2, 1 - 0.05 / 4)]
    for k, grade in ((0, "concern"), (1, "unclear")):
        found = identity(subject(texts), terms=TERMS, flips=float(ends[2] - 0.001 if k == 0 else ends[1] - 0.001), shift=1.0)
        assert [f.grade for f in found.findings] == [grade, "ok"]


def test_areas_of_groups_hold_together_over_three_areas_of_each_group(monkeypatch) -> None:
    texts = ["good aunt", "aunt", "he", "uncle good", "good", "plain"] * 5
    made, asked = subject(texts), []
    made.class_outputs[0].__dict__.update(
        actual=pd.Series(["yes", "yes", "no", "yes", "no", "no"] * 5),
        known=True,
        scores=decided(texts, ("no", "yes"))[["score.yes"]],
    )
    made.class_outputs[0].scores.columns = ["yes"]

    def noted(scores, positive, member, generator, **more):
        asked.append((int(member.sum()), round(1 - more["level"], 9)))
        return areas(scores, positive, member, generator, **more)

    monkeypatch.setattr("glassbench_audits.fairness.identity_terms.areas", noted)
    found = measures(identity(made, terms=TERMS, replicates=30))
    assert asked == [(10, round(0.05 / 6, 9)), (10, round(0.05 / 6, 9))]
    assert found["identity.auc"].value == pytest.approx(8 / 9)


def one_area(name: str, value: float, positives: int = 50, negatives: int = 50) -> Area:
    return Area(name=name, value=value, low=value - 0.02, high=value + 0.02, positives=positives, negatives=negatives)


@pytest.mark.parametrize(
    ("values", "sizes", "grade"),
    [
        ((0.9, 0.9, 0.83), (50, 50), "ok"),
        ((0.9, 0.9, 0.7), (50, 50), "concern"),
        ((0.9, 0.79, 0.9), (50, 50), "unclear"),
        ((0.99, 0.99, 0.99), (50, 50), "ok"),
        ((0.7, 0.7, 0.7), (9, 50), "unclear"),
        ((0.7, 0.7, 0.7), (50, 9), "unclear"),
        ((0.7, 0.7, 0.7), (10, 10), "concern"),
    ],
)
def test_the_lowest_area_is_held_against_that_of_all_texts(values, sizes, grade) -> None:
    names = ("subgroup_auc", "bpsn_auc", "bnsp_auc")
    found = [one_area(n, v, *(sizes if n == "bnsp_auc" else (50, 50))) for n, v in zip(names, values, strict=True)]
    said = area_finding(("kin", "she"), found, one_area("auc", 0.9), limits())
    assert said.grade == grade
    assert said.measures == (f"identity.{names[int(np.argmin(values))]}",)
    assert f"area under the curve {min(values):.3f}" in said.sentence


def test_nothing_is_said_of_a_group_whose_areas_are_undefined() -> None:
    lacking = one_area("auc", np.nan)
    assert area_finding(("kin", "she"), [lacking], one_area("auc", 0.9), limits()) is None
    assert area_finding(("kin", "she"), [one_area("bpsn_auc", 0.5)], lacking, limits()) is None
    known = area_finding(("kin", "she"), [lacking, one_area("bpsn_auc", 0.5)], one_area("auc", 0.9), limits())
    assert known.measures == ("identity.bpsn_auc",)


def test_scores_that_tie_count_one_half_and_sides_are_the_rows_that_mention_or_do_not() -> None:
    scores = np.array([0.5, 0.5, 0.2, 0.9, 0.5, 0.1])
    positive = np.array([True, False, False, True, True, False])
    member = np.array([True, True, True, False, False, False])
    generator = np.random.default_rng(0)
    found = {one.name: one for one in areas(scores, positive, member, generator, replicates=20, level=0.95)}
    assert {name: one.value for name, one in found.items()} == {"subgroup_auc": 0.75, "bpsn_auc": 0.875, "bnsp_auc": 1.0}
    assert {name: (one.positives, one.negatives) for name, one in found.items()} == {
        "subgroup_auc": (1, 2),
        "bpsn_auc": (2, 2),
        "bnsp_auc": (1, 1),
    }
    nobody = areas(scores, positive, np.zeros(6, dtype=bool), generator, replicates=20, level=0.95)
    assert np.isnan([(one.value, one.low, one.high) for one in nobody]).all()


@pytest.mark.parametrize("sizes", [(15, 900), (900, 15), (60, 60)])
def test_the_interval_of_an_area_rests_on_both_sides(sizes: tuple[int, int]) -> None:
    """DeLong's variance: that of each side's chances over its rows."""
    chance = np.random.default_rng(2)
    above, below = chance.normal(0.8, 1, sizes[0]), chance.normal(0, 1, sizes[1])
    wins = above[:, None] > below
    error = np.sqrt(wins.mean(axis=1).var(ddof=1) / sizes[0] + wins.mean(axis=0).var(ddof=1) / sizes[1])
    found = area("auc", above, below, chance, replicates=4000, level=0.9)
    assert found.value == pytest.approx(wins.mean())
    assert (found.high - found.low) / (2 * norm.ppf(0.95)) == pytest.approx(error, rel=0.08)
