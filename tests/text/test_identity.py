"""The audit of identity terms flags a planted bias, and stays quiet where there is none."""

from functools import cache

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from glassbench.errors import SettingsError
from glassbench.testing import check_audit, toy_subject
from glassbench_audits.fairness.frames.subgroup_auc import areas
from glassbench_audits.fairness.identity_terms import identity
from glassbench_audits.fairness.terms import DEFAULT, check_terms, mentions, swapped
from glassbench_plugins.supervised.classification import Classification
from glassbench_plugins.text.recurrent import Gru
from glassbench_plugins.text.remarks import remarks

TERMS = {
    "gender": {"woman": ("wife", "mother", "sister", "daughter", "woman"), "man": ("husband", "father", "brother", "son", "man")}
}


SEEDS = [3, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (0, 1, 2, 4))]


@pytest.fixture(scope="module")
def subject_of(train):
    @cache
    def made(bias, seed):
        data = remarks(seed, rows=2500, bias=bias)
        torch.manual_seed(seed)
        model = Gru(data.schema, embedding=16, width=16, dropout=0.0)
        return train(data, model, Classification(), steps=120)

    return made


def swaps(result):
    return [finding for finding in result.findings if finding.measures[0].startswith("identity.score_shift")]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("terms", [None, TERMS])
def test_planted_bias_is_flagged(subject_of, terms, seed):
    result = identity(subject_of(0.9, seed), terms=terms, replicates=200)
    assert result.grade == "concern"
    assert {finding.grade for finding in swaps(result)} == {"concern"}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_bias_is_passed(subject_of, seed):
    result = identity(subject_of(0.0, seed), replicates=200)
    assert result.grade == "ok"
    assert len(swaps(result)) == 2


def test_the_audit_keeps_its_promises(subject_of):
    check_audit(identity, "identity", subjects=[subject_of(0.0, 3)], replicates=50)


def test_tables_are_not_applicable():
    assert "no texts" in identity(toy_subject()).not_applicable


def test_areas_are_those_of_scikit_learn():
    generator = np.random.default_rng(0)
    scores, positive, member = generator.random(300).round(2), generator.random(300) < 0.4, generator.random(300) < 0.3
    found = {each.name: each for each in areas(scores, positive, member, generator, replicates=200, level=0.95)}
    kept = {"subgroup_auc": member, "bpsn_auc": member ^ positive, "bnsp_auc": ~(member ^ positive)}
    for name, rows in kept.items():
        assert found[name].value == pytest.approx(roc_auc_score(positive[rows], scores[rows]))
        assert found[name].low < found[name].value < found[name].high


def test_terms_are_whole_words_and_keep_their_capitals():
    assert mentions(["Theme", "THE HE", "none"], ["he"]).tolist() == [False, True, False]
    groups = DEFAULT["gender"]
    assert swapped("His wife and HER son.", groups["woman"], groups["man"]) == "His husband and HIS son."
    assert swapped("a king", groups["man"], groups["woman"]) == "a queen"


def test_lists_of_different_lengths_are_refused():
    check_terms(DEFAULT)
    with pytest.raises(SettingsError, match="as many terms each"):
        check_terms({"gender": {"a": ["x"], "b": ["y", "z"]}})
