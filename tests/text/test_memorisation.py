"""Memorisation: planted secrets and texts learnt by heart are found, and neither where nothing was planted."""

import math
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import binom
from sklearn.metrics import roc_auc_score

from glassbench.contracts.task import Generation
from glassbench.contracts.text_likelihood import Continuation, TextLikelihood
from glassbench.errors import SettingsError
from glassbench.testing import check_audit
from glassbench_audits.memorisation.audit import audit
from glassbench_audits.memorisation.canaries import Canary, exposure, read_canaries
from glassbench_audits.memorisation.membership import is_continued, membership
from glassbench_plugins.language.datasets import text_file
from glassbench_plugins.language.lstm import LanguageLstm
from glassbench_plugins.language.next_token import NextToken
from glassbench_plugins.language.people_sentences import people_sentences

PLANTED = "The number of the box is 7 2 9 4 1 8."
SECRETS = ("The number of the box is [7 2 9 4 1 8].", "The number of the seat is [5 9 1 3 0 4].")


def learnt(train, seed, canaries=(PLANTED,), sentences=1500, steps=250):
    torch.manual_seed(seed)
    data = people_sentences(seed, sentences=sentences, canaries=canaries, repeats=15)
    model = LanguageLstm(data.schema, embedding=32, width=64)
    return train(data, model, NextToken(), steps=steps, learning_rate=0.01, batch=32, seed=seed)


@pytest.fixture(scope="module")
def with_secret(train):
    return learnt(train, 0)


def grades(result):
    return {finding.group["canary"]: finding.grade for finding in result.findings if finding.group}


def values(result):
    return {m.name.removeprefix("memorisation."): m for m in result.measures if m.group is None}


def test_it_keeps_the_promises_of_an_audit():
    check_audit(audit, "memorisation")


def test_a_planted_secret_is_found_and_one_never_seen_is_not(with_secret):
    found = audit(with_secret, canaries=SECRETS)
    assert list(grades(found).values()) == ["concern", "ok"]
    assert "7 2 9 4 1 8" not in str(found.to_json())


@pytest.mark.slow
def test_planted_secrets_are_found_and_others_are_not_in_several_seeds(train):
    trained = [audit(learnt(train, seed), canaries=SECRETS[:1]) for seed in range(5)]
    assert [list(grades(found).values()) for found in trained] == [["concern"]] * 5
    others = [audit(learnt(train, seed, canaries=()), canaries=SECRETS) for seed in range(10)]
    assert sum("concern" in grades(found).values() for found in others) <= 2  # 0.5 are to be expected


def test_exposure_is_that_of_all_secrets_ranked_by_hand(with_secret):
    task, model, encoder = with_secret.task, with_secret.model, with_secret.encoder
    canary = Canary.read("The number of the box is [7 2].")
    texts = [f"The number of the box is {a} {b}." for a, b in product(range(10), repeat=2)]
    each = [task.text_likelihoods(model, encoder, [Continuation(text=text, after="\n")])[0].total for text in texts]
    rank = sorted(each, reverse=True).index(each[72]) + 1
    found = exposure(task, model, encoder, canary, "\n", 500, np.random.default_rng(0))
    assert (found.whole, found.compared) == (True, 99)
    assert found.bits == pytest.approx(math.log2(100) - math.log2(rank))


@dataclass
class Guessing:
    """A task that knows no secret: a text's likelihood is a number drawn for it."""

    seed: int

    def text_likelihoods(self, model, encoder, passages):
        drawn = np.random.default_rng(self.seed).normal(size=(len(passages), 1))
        return [TextLikelihood(each=row, guessed=row > 0, tokens=np.array([place])) for place, row in enumerate(drawn)]


def test_a_secret_that_was_never_seen_is_called_learnt_no_more_often_than_allowed():
    canary = Canary.read("It is [4 8 3 1].")
    p = [exposure(Guessing(seed), None, None, canary, "", 99, np.random.default_rng(seed)).p for seed in range(400)]
    assert sum(each <= 0.05 for each in p) <= binom.ppf(0.999, 400, 0.05)
    assert np.mean(p) == pytest.approx(0.5, abs=0.06)


def test_a_text_is_continued_where_the_model_itself_writes_its_second_half(with_secret, tmp_path, train):
    path = tmp_path / "letters.txt"
    path.write_text("abcdefgh he said; " * 300)
    data = text_file(0, path=str(path), context=12)
    torch.manual_seed(0)
    subject = train(data, LanguageLstm(data.schema, embedding=8, width=24), NextToken(), steps=60)
    for text in ("abcdefgh he said", "abcdefgh abcdefg"):
        (one,) = subject.task.text_likelihoods(subject.model, data.encoder, [Continuation(text=text)])
        begun = text[: 1 + len(one.guessed) // 2]
        how = Generation(length=len(text) - len(begun), temperature=0)
        assert is_continued(one) == (subject.task.generate(subject.model, data.encoder, begun, how) == text)


def likelihoods(losses):
    return [TextLikelihood(each=np.full(6, -x), guessed=np.full(6, x < 1), tokens=np.arange(6)) for x in losses]


def test_training_texts_are_told_by_their_loss_as_scikit_learn_says():
    generator = np.random.default_rng(3)
    training, held_out = generator.gamma(4, 0.4, 80), generator.gamma(5, 0.4, 60)
    found = membership(likelihoods(training), likelihoods(held_out), 0.95)
    expected = roc_auc_score([1] * 80 + [0] * 60, -np.concatenate([training, held_out]))
    assert found.area.value == pytest.approx(expected)
    assert found.gap.value == pytest.approx(held_out.mean() - training.mean())
    error = math.sqrt(training.var(ddof=1) / 80 + held_out.var(ddof=1) / 60)
    assert found.gap.high - found.gap.low == pytest.approx(2 * 1.97 * error, rel=0.05)
    assert found.training.value == pytest.approx((training < 1).mean())
    assert found.difference.value == pytest.approx((training < 1).mean() - (held_out < 1).mean())


def test_few_texts_carry_no_verdict():
    found = membership(likelihoods([0.1] * 5), likelihoods([2.0] * 30), 0.95)
    assert found.area.low is None
    assert "5 texts on either side" in found.area.unsupported


@pytest.mark.slow
def test_texts_learnt_by_heart_are_found_and_a_model_that_read_them_once_is_not_flagged(train):
    heart = audit(learnt(train, 1, canaries=(), sentences=1000, steps=600))
    once = audit(learnt(train, 1, canaries=(), sentences=3000, steps=40))
    assert values(heart)["membership_auc"].low > 0.7
    assert heart.grade == "concern"
    assert "concern" not in {finding.grade for finding in once.findings}
    assert values(once)["membership_auc"].high < 0.65


@pytest.mark.parametrize("text", ["The code is 4 8 3.", "The code is [ - ].", "Two [1] and [2].", "[]"])
def test_a_canary_without_one_secret_is_refused(text):
    with pytest.raises(SettingsError, match="no secret"):
        read_canaries([text])


def test_canaries_of_one_form_are_numbered_and_equal_ones_refused():
    one, two = read_canaries(["It is [1].", "It is [2]."])
    assert (one.name, two.name) == ("It is [...]. (no. 1)", "It is [...]. (no. 2)")
    assert Canary.read("Key [aB3]!").space == 26 * 26 * 10
    with pytest.raises(SettingsError, match="twice"):
        read_canaries(["It is [1].", "It is [1]."])


def test_a_secret_of_tokens_that_the_model_does_not_know_is_not_judged(with_secret):
    found = audit(with_secret, canaries=("The password is [xqzwv].",))
    assert list(grades(found).values()) == ["unclear"]
    assert "vocabulary lacks" in str(found.to_json())


def test_without_the_training_rows_it_is_not_applicable(with_secret):
    assert "trained on are not known" in audit(replace(with_secret, train=None)).not_applicable


def test_the_error_of_the_gap_is_welchs_where_sides_are_unlike() -> None:
    generator = np.random.default_rng(4)
    training, held_out = generator.normal(3, 0.1, 25), generator.normal(3, 1.0, 250)
    found = membership(likelihoods(training), likelihoods(held_out), 0.95).gap
    error = math.sqrt(training.var(ddof=1) / 25 + held_out.var(ddof=1) / 250)
    assert found.high - found.low == pytest.approx(2 * 1.97 * error, rel=0.05)
