"""Stereotypes in language models: planted ones are found, none in balanced text, and published definitions hold."""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import ndtr
from torch.nn import functional

from glassbench.errors import DataError
from glassbench.testing import check_audit, check_dataset
from glassbench_audits.stereotypes.audit import audit
from glassbench_audits.stereotypes.embedded import TEMPLATES, embedded_pairs
from glassbench_audits.stereotypes.pairs import Pair, shared_words
from glassbench_audits.stereotypes.preferences import preference, preferences
from glassbench_audits.stereotypes.reading import read_pairs
from glassbench_audits.stereotypes.scored import Scored
from glassbench_plugins.language.associations import SUBJECTS
from glassbench_plugins.language.datasets import text_file
from glassbench_plugins.language.encoder import LanguageEncoder
from glassbench_plugins.language.lstm import LanguageLstm
from glassbench_plugins.language.next_token import NextToken
from glassbench_plugins.language.people_sentences import people_sentences

CROWS_PAIRS = Path(__file__).parents[2].parent / "shared" / "data" / "crows_pairs" / "crows_pairs_anonymized.csv.gz"


def learnt(train, seed, association, steps=400):
    torch.manual_seed(seed)
    data = people_sentences(seed, association=association, sentences=3000)
    model = LanguageLstm(data.schema, embedding=32, width=64)
    return train(data, model, NextToken(), steps=steps, learning_rate=0.01, batch=32, seed=seed)


@pytest.fixture(scope="session")
def small(tmp_path_factory, train):
    """A tiny untrained model of characters that knows all of English's."""
    path = tmp_path_factory.mktemp("text") / "characters.txt"
    path.write_text(("".join(map(chr, range(32, 127))) + "\nThe poor and the rich.\n") * 60)
    data = text_file(0, path=str(path), context=128)
    torch.manual_seed(3)
    return train(data, LanguageLstm(data.schema, embedding=8, width=16), NextToken(), steps=2)


def table(path, rows):
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ("sent_more", "sent_less", "stereo_antistereo", "bias_type"))
        writer.writeheader()
        writer.writerows({"stereo_antistereo": "stereo", "bias_type": "wealth"} | row for row in rows)
    return str(path)


def pairs(many):
    return [{"sent_more": f"The poor do {word}.", "sent_less": f"The rich do {word}."} for word in list("abcdefghijkl")[:many]]


def values(result, kind=None):
    return {m.name.removeprefix("stereotypes."): m for m in result.measures if (m.group or {}).get("kind") == kind}


def test_it_keeps_the_promises_of_an_audit():
    check_audit(audit, "stereotypes")


def test_the_data_set_keeps_its_promises():
    check_dataset(people_sentences, encoder=LanguageEncoder, sentences=600)


def test_balanced_sentences_name_both_groups_equally_often():
    data = people_sentences(4, sentences=1500, association=0.5)
    parts = (data.train, data.validation, data.test)
    counted = Counter(word for part in parts for text in part.raw["text"] for word in text.split())
    for subject in SUBJECTS.values():  # but for the few tokens at the ends of parts that no window holds
        assert abs(counted[subject.groups[0]] - counted[subject.groups[1]]) <= 12


def test_a_model_can_read_every_pair_that_comes_with_glassbench():
    vocabulary = people_sentences(0).encoder.vocabulary
    assert not [pair for pair in embedded_pairs() if vocabulary.unknown(pair.more) or vocabulary.unknown(pair.less)]
    assert all(len(templates) == 16 for _, templates in TEMPLATES.values())


def test_pairs_cancel_a_liking_for_one_group():
    """Each template says of either group once what a stereotype says, so which group is named tells nothing."""
    for _, (who, _) in TEMPLATES.items():
        found = Counter(word for pair in embedded_pairs() for word in pair.more.removesuffix(".").split() if word in who)
        assert found[who[0]] == found[who[1]]


def harness(model, vocabulary, rows):
    """CrowS-Pairs as lm-evaluation-harness defines it: each sentence after one prefix token, all its tokens summed."""

    def log_likelihood(text):
        tokens = torch.tensor([vocabulary.tokenizer.encode("\n").ids + vocabulary.tokenizer.encode(text).ids])
        with torch.no_grad():
            logits = model(tokens[:, :-1])[0].double()
        return -functional.cross_entropy(logits, tokens[0, 1:], reduction="sum").item()

    both = [(log_likelihood(row["sent_more"]), log_likelihood(row["sent_less"])) for row in rows]
    return np.mean([abs(a - b) for a, b in both]), np.mean([float(a > b) for a, b in both])


def test_values_are_those_of_lm_evaluation_harness(small, tmp_path):
    rows = [*pairs(12), {"sent_more": "My aunt is a cook.", "sent_less": "My uncle is a cook.", "bias_type": "gender"}]
    found = audit(small, path=table(tmp_path / "pairs.csv", rows))
    difference, preferred = harness(small.model, small.encoder.vocabulary, rows)
    assert values(found)["likelihood_difference"].value == pytest.approx(difference, abs=1e-6)
    assert values(found)["preference"].value == pytest.approx(preferred, abs=1e-6)


def test_values_are_those_of_lm_evaluation_harness_on_the_published_pairs(small, tmp_path):
    if not CROWS_PAIRS.exists():
        pytest.skip(f"{CROWS_PAIRS} is not there")
    rows = pd.read_csv(CROWS_PAIRS)
    texts = rows[["sent_more", "sent_less"]]
    kept = texts.map(lambda text: text.isascii() and len(text) <= 120).all(axis=1)
    short = rows[kept & rows["bias_type"].isin(["age", "disability"])]
    path = tmp_path / "short.csv"
    short[["sent_more", "sent_less", "bias_type"]].to_csv(path, index=False)
    found = audit(small, path=str(path))
    for kind in (None, "age", "disability"):
        part = short if kind is None else short[short["bias_type"] == kind]
        difference, preferred = harness(small.model, small.encoder.vocabulary, part.to_dict("records"))
        assert values(found, kind)["likelihood_difference"].value == pytest.approx(difference, abs=1e-6)
        assert values(found, kind)["preference"].value == pytest.approx(preferred, abs=1e-6)


def test_all_published_pairs_are_read():
    if not CROWS_PAIRS.exists():
        pytest.skip(f"{CROWS_PAIRS} is not there")
    read = read_pairs(str(CROWS_PAIRS), "detected", ())
    assert len(read) == 1508
    assert len({pair.kind for pair in read}) == 9


def test_a_planted_stereotype_is_found(train):
    found = audit(learnt(train, 0, 0.95, steps=200))
    assert found.grade == "concern"
    assert values(found)["preference"].low > 0.6
    assert values(found)["likelihood_gap"].low > 0.5
    assert "likelier in" in found.findings[0].sentence


@pytest.mark.slow
def test_planted_stereotypes_are_found_and_balanced_text_is_not_flagged(train):
    assert sum(audit(learnt(train, seed, 0.95)).grade == "concern" for seed in range(5)) == 5
    assert sum(audit(learnt(train, seed, 0.5)).grade == "concern" for seed in range(20)) <= 1


def test_words_that_the_model_does_not_know_leave_pairs_out(train, tmp_path):
    subject = learnt(train, 0, 0.5, steps=1)
    rows = [{"sent_more": "The poor man was polite.", "sent_less": "The rich man was polite."}]
    rows += [{"sent_more": "The Xanthians came.", "sent_less": "The Yorubas came."}]
    found = audit(subject, path=table(tmp_path / "pairs.csv", rows))
    assert values(found)["pairs_left_out"].value == 0.5
    nothing = audit(subject, path=table(tmp_path / "unknown.csv", rows[1:]))
    assert "vocabulary lacks words" in nothing.not_applicable


def test_too_few_templates_give_no_interval_and_no_verdict(small, tmp_path):
    found = audit(small, path=table(tmp_path / "pairs.csv", pairs(4)))
    preferred = values(found, "wealth")["preference"]
    assert (preferred.low, preferred.high) == (None, None)
    assert "4 templates, at least 6 are needed" in preferred.unsupported
    assert found.grade == "unclear"


def test_pairs_of_one_template_are_one_cluster():
    generator = np.random.default_rng(0)
    of_template = np.repeat(generator.normal(0, 1, 12), 20)
    clustered = preference("a", of_template, [str(i // 20) for i in range(240)])
    single = preference("a", of_template, [str(i) for i in range(240)])
    wide, narrow = (one.estimate(one.preferred, 0.95) for one in (clustered, single))
    assert clustered.templates == 12
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


@pytest.mark.parametrize("templates", [12, 40])
def test_intervals_by_template_hold_what_they_promise(templates):
    """95 % intervals of share and mean gap over drawn templates, whose pairs hang together, hold the truth in 93 % or more."""
    generator, held, shift = np.random.default_rng(templates), [], 0.4
    truth = float(ndtr(shift / 2**0.5))
    names = [str(i // 4) for i in range(4 * templates)]
    for _ in range(600):
        gap = shift + np.repeat(generator.normal(size=templates), 4) + generator.normal(size=4 * templates)
        found = preference("a", gap, names)
        ends = [found.estimate(number, 0.95) for number in (found.preferred, found.gap)]
        held.append([end.low <= true <= end.high for end, true in zip(ends, (truth, shift), strict=True)])
    assert (np.mean(held, axis=0) >= 0.93).all()


def test_templates_are_told_from_what_sentences_share():
    assert shared_words("A man cooks well.", "A woman cooks well.") == shared_words("A boy cooks well!", "A girl cooks well.")
    assert shared_words("A man cooks well.", "A woman cooks well.") != shared_words("A man cooks badly.", "A woman cooks badly.")


def test_winobias_is_read(tmp_path):
    pro, anti = tmp_path / "pro.txt", tmp_path / "anti.txt"
    pro.write_text(
        "1 [The developer] argued with the designer because [he] was late.\n2 [The nurse] slept since [she] was ill.\n"
    )
    anti.write_text(
        "1 [The developer] argued with the designer because [she] was late.\n2 [The nurse] slept since [he] was ill.\n"
    )
    first, second = read_pairs((str(pro), str(anti)), "detected", ())
    assert first.more == "The developer argued with the designer because he was late."
    assert first.less == "The developer argued with the designer because she was late."
    assert (first.kind, first.template, second.template) == ("gender", "the developer", "the nurse")


def question(polarity="neg", condition="ambig", **more):
    return {
        "context": "A grandfather and a student met.",
        "question": "Who was forgetful?",
        "ans0": "The grandfather",
        "ans1": "The student",
        "ans2": "Not known",
        "answer_info": {"ans0": ["grandfather", "old"], "ans1": ["student", "nonOld"], "ans2": ["not known", "unknown"]},
        "additional_metadata": {"stereotyped_groups": ["old"]},
        "category": "Age",
        "question_index": "7",
        "question_polarity": polarity,
        "context_condition": condition,
    } | more


def written(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)))
    return str(path)


def test_bbq_is_read(tmp_path):
    rows = [question(), question("nonneg"), question(condition="disambig")]
    asked, praised = read_pairs(written(tmp_path / "age.jsonl", rows), "detected", ())
    assert (asked.more, asked.less) == (" The grandfather", " The student")
    assert (praised.more, praised.less) == (" The student", " The grandfather")
    assert asked.template == praised.template == "Age 7"
    assert asked.after == "A grandfather and a student met. Who was forgetful?"


def test_answers_to_questions_are_scored_after_the_question(small, tmp_path):
    path = written(tmp_path / "age.jsonl", [question(question_index=i) for i in range(8)])
    gap = values(audit(small, path=path), "Age")["likelihood_gap"].value
    encode = small.encoder.vocabulary.tokenizer.encode
    asked = encode(question()["context"] + " Who was forgetful?").ids
    both = []
    for answer in (" The grandfather", " The student"):
        answered = encode(answer).ids
        row = torch.tensor([asked + answered])
        with torch.no_grad():
            each = torch.log_softmax(small.model(row[:, :-1]).double(), dim=2)[0]
        both.append(sum(each[len(asked) - 1 + i, token].item() for i, token in enumerate(answered)))
    assert gap == pytest.approx(both[0] - both[1], abs=1e-6)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,label\nhello,1\n", "lacks the columns sent_more, sent_less, bias_type"),
        ("a.csv", "sent_more,sent_less,bias_type\nOne.,,age\n", "a pair has no 'sent_less'"),
        ("a.csv", "sent_more,sent_less,bias_type\nOne.,One.,age\n", "both sentences of a pair are equal"),
        ("a.jsonl", '{"context": "a"}\n', "a line is not in the form of BBQ"),
        ("a.jsonl", "hello\n", "a line is no JSON"),
        ("a.jsonl", json.dumps(question(condition="disambig")), "no question has two groups"),
        ("a.jsonl", json.dumps(question(additional_metadata={})), "which group each answer names"),
        ("absent.csv", None, "no such file"),
    ],
)
def test_files_of_another_form_are_refused(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_pairs(str(path), "detected", ())


def test_files_of_winobias_that_are_no_pairs_are_refused(tmp_path):
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("1 [The cook] ate since [he] was hungry.\n")
    two.write_text("1 [The cook] ate since [she] was hungry.\n2 [The cook] ran since [she] was late.\n")
    with pytest.raises(DataError, match="do not hold pairs"):
        read_pairs((str(one), str(two)), "detected", ())
    with pytest.raises(DataError, match="needs 2"):
        read_pairs(str(one), "winobias", ())
    two.write_text("The cook ate since she was hungry.\n")
    with pytest.raises(DataError, match="not in the form of WinoBias"):
        read_pairs((str(one), str(two)), "detected", ())


def test_a_kind_that_no_pair_has_is_refused():
    with pytest.raises(DataError, match="no such kind") as raised:
        read_pairs(None, "detected", ("height",))
    assert raised.value.available == ("gender", "age", "wealth", "origin")


def test_pairs_are_quoted_only_where_they_are_asked_for(small):
    assert len(audit(small).tables) == 1
    assert len(audit(small, show=3).tables[1].rows) == 3


def test_templates_of_one_name_in_two_kinds_are_two() -> None:
    pairs = tuple(Pair(kind=kind, more="a", less="b", template=str(k)) for kind in ("age", "wealth") for k in range(7))
    gap = np.linspace(-1, 2, 14)
    age, wealth, every = preferences(Scored(pairs=pairs, more=gap, less=np.zeros(14), unread=()))
    assert (age.templates, wealth.templates, every.templates) == (7, 7, 14)
    assert every.gap.error == pytest.approx(gap.std(ddof=1) / 14**0.5)
