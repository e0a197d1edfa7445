"""Classifiers of texts given as objects: scores of the library itself, attributions of Captum called on the same network."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from captum.attr import LayerIntegratedGradients
from tokenizers import Tokenizer, models, pre_tokenizers, processors

import glassbench
from glassbench.errors import DataError, SettingsError
from glassbench.runs.artifacts import read_predictions

transformers = pytest.importorskip("transformers")

GOOD, BAD = ["good", "fine", "nice"], ["bad", "awful", "poor"]
DULL = ["day", "night", "film", "book", "the", "a", "was", "very", "it", "plot", "end"]
LABELS = ["complaint", "praise"]
FAST = {"performance": {"replicates": 50}}
EXPLAIN = {"explain": {"rows": 6, "replicates": 20, "steps": 8}}


def tokenizer_of(words=(*GOOD, *BAD, *DULL), **named):
    """Return a tokenizer of whole words that puts a token before and one after each text, as that of BERT does."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: number for number, word in enumerate([*special, *words])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    roles = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"} | named
    return transformers.PreTrainedTokenizerFast(tokenizer_object=backend, **roles)


def bert(tokenizer, labels=LABELS, **changed):
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: number for number, label in enumerate(labels)}}
    torch.manual_seed(5)
    config = transformers.BertConfig(vocab_size=len(tokenizer), max_position_embeddings=32, **sizes | names | changed)
    return transformers.BertForSequenceClassification(config).eval()


def remarks(count, seed):
    """Return texts of several lengths that one word decides, and their labels."""
    chance, texts, labels = np.random.default_rng(seed), [], []
    for _ in range(count):
        praise = bool(chance.integers(2))
        words = list(chance.choice(DULL, chance.integers(3, 9)))
        words.insert(int(chance.integers(len(words))), str(chance.choice(GOOD if praise else BAD)))
        texts.append(" ".join(words))
        labels.append(LABELS[praise])
    return texts, labels


TEXTS, TRUTH = remarks(200, 1)


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of()


@pytest.fixture(scope="module")
def network(tokenizer):
    """A network that has learnt the remarks."""
    trained = bert(tokenizer).train()
    texts, labels = remarks(600, 0)
    optimizer, chance = torch.optim.Adam(trained.parameters(), 5e-4), np.random.default_rng(0)
    for _ in range(300):
        drawn = chance.choice(len(texts), 64)
        batch = tokenizer([texts[k] for k in drawn], padding=True, return_tensors="pt")
        trained(**batch, labels=torch.tensor([LABELS.index(labels[k]) for k in drawn])).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return trained.eval()


def pipeline_of(network, tokenizer, **more):
    return transformers.pipeline("text-classification", model=network, tokenizer=tokenizer, device="cpu", **more)


def own_scores(network, tokenizer, texts):
    """Return what the library's pipeline itself says, one text at a time."""
    answers = pipeline_of(network, tokenizer)(texts, top_k=None)
    return pd.DataFrame([{answer["label"]: answer["score"] for answer in row} for row in answers])


@pytest.mark.parametrize("given", ["a pipeline", "a pair", "a frame"])
def test_scores_are_those_of_the_pipeline_and_the_model_comes_back(given, network, tokenizer, tmp_path):
    expected = own_scores(network, tokenizer, TEXTS)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    model = pipeline_of(network, tokenizer) if given == "a pipeline" else (network, tokenizer)
    groups = ["short" if len(text) < 30 else "long" for text in TEXTS]
    X = pd.DataFrame({"text": TEXTS, "length": groups}) if given == "a frame" else TEXTS
    sensitive = "length" if given == "a frame" else {"length": groups}
    network.train()
    done = glassbench.audit(model, X, TRUTH, sensitive=sensitive, audits=FAST, runs=tmp_path)
    assert network.training
    network.eval()
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    frame = read_predictions(done.folder)
    for label in LABELS:
        np.testing.assert_allclose(frame[f"score.{label}"], expected[label], rtol=0, atol=1e-6)
    assert frame["group.length"].tolist() == groups
    assert frame["y_true"].tolist() == TRUTH


def test_words_are_attributed_as_captum_does_on_the_network_itself(network, tokenizer, tmp_path):
    audits = {"explain": {"rows": 10, "replicates": 20, "steps": 800}}
    done = glassbench.audit(pipeline_of(network, tokenizer), TEXTS[:10], TRUTH[:10], audits=audits, runs=tmp_path)

    def odds(numbers, mask):
        logits = network(input_ids=numbers, attention_mask=mask).logits
        return logits[:, 1] - logits[:, 0]

    captum = LayerIntegratedGradients(odds, network.bert.embeddings.word_embeddings)
    uses = {}
    for text in TEXTS[:10]:
        read = tokenizer(text, return_tensors="pt")
        numbers = read["input_ids"]
        found = captum.attribute(
            numbers, torch.zeros_like(numbers), additional_forward_args=(read["attention_mask"],), n_steps=800
        )
        for word, value in zip(["∅", *text.split(), "∅"], found.sum(dim=-1)[0].tolist(), strict=True):
            uses.setdefault(word, []).append(value)
    (result,) = done.audits
    table = next(table for table in result.tables if table.title == "Words that move the decisions most")
    assert {row[0] for row in table.rows} == set(uses)
    for word, count, size, towards, _ in table.rows:
        assert count == len(uses[word])
        assert size == pytest.approx(np.abs(uses[word]).mean(), abs=1e-5)
        assert towards == pytest.approx(np.mean(uses[word]), abs=1e-5)


@pytest.mark.slow
def test_an_explanation_is_tested_and_graded_as_that_of_a_model_trained_here(network, tokenizer, tmp_path):
    background, _ = remarks(300, 7)
    given = {"audits": {"explain": {"rows": 32, "steps": 200}}, "background": background, "held_out": True, "runs": tmp_path}
    (result,) = glassbench.audit((network, tokenizer), TEXTS, TRUTH, **given).audits
    assert "graded 'reliable'" in next(f.sentence for f in result.findings if "graded" in f.sentence)
    rows = next(table for table in result.tables if table.title == "Words that move the decisions most").rows
    assert {row[0] for row in rows[:3]} == set(BAD)
    assert all(row[3] < -5 for row in rows[:3])
    assert all(row[2] < 0.5 for row in rows[3:])
    (untrained,) = glassbench.audit((bert(tokenizer), tokenizer), TEXTS, TRUTH, **given).audits
    assert "graded 'reliable'" not in next(f.sentence for f in untrained.findings if "graded" in f.sentence)


def gpt(tokenizer, **changed):
    names = {"id2label": dict(enumerate(LABELS)), "label2id": {label: number for number, label in enumerate(LABELS)}}
    torch.manual_seed(6)
    sizes = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 24, "bos_token_id": 2, "eos_token_id": 3}
    return transformers.GPT2ForSequenceClassification(
        transformers.GPT2Config(vocab_size=len(tokenizer), **sizes, **names | {"pad_token_id": 0} | changed)
    ).eval()


def test_a_network_that_reads_left_to_right_is_audited_too(tokenizer, tmp_path):
    """It decides from the last token that is no padding, so unlike lengths must not move it."""
    decides = gpt(tokenizer)
    done = glassbench.audit((decides, tokenizer), TEXTS, TRUTH, audits=FAST | EXPLAIN, runs=tmp_path)
    expected = own_scores(decides, tokenizer, TEXTS)
    np.testing.assert_allclose(read_predictions(done.folder)["score.praise"], expected["praise"], rtol=0, atol=1e-6)
    assert [(audit.error, audit.not_applicable) for audit in done.audits] == [(None, None)] * 2


def test_long_texts_are_cut_as_the_tokenizer_cuts_them_and_the_report_says_so(network, tokenizer, tmp_path):
    long = [*TEXTS[:20], " ".join(DULL * 4 + ["good"]), " ".join(["bad"] + DULL * 4)]
    truth = [*TRUTH[:20], "praise", "complaint"]
    done = glassbench.audit((network, tokenizer), long, truth, audits=FAST, runs=tmp_path)
    read = tokenizer(long, truncation=True, max_length=32, padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = network(**read).logits.softmax(dim=1)[:, 1]
    np.testing.assert_allclose(read_predictions(done.folder)["score.praise"], expected, rtol=0, atol=1e-6)
    assert "2 of 22 texts are longer than the 32 tokens" in (done.folder / "report.html").read_text("utf-8")


def test_one_logit_is_the_score_of_the_positive_class(tokenizer, tmp_path):
    single = bert(tokenizer, labels=["praise"])
    with pytest.raises(DataError, match="which of the two classes does the score speak of"):
        glassbench.audit((single, tokenizer), TEXTS, TRUTH, audits=FAST, runs=tmp_path)
    done = glassbench.audit((single, tokenizer), TEXTS, TRUTH, positive="praise", audits=FAST | EXPLAIN, runs=tmp_path)
    expected = [answer["score"] for answer in pipeline_of(single, tokenizer)(TEXTS, function_to_apply="sigmoid")]
    np.testing.assert_allclose(read_predictions(done.folder)["score.praise"], expected, rtol=0, atol=1e-6)


def test_a_network_of_values_is_audited_as_a_regression(tokenizer, tmp_path):
    values = bert(tokenizer, labels=["stars"], problem_type="regression")
    stars = np.random.default_rng(2).normal(size=len(TEXTS))
    done = glassbench.audit((values, tokenizer), TEXTS, stars, audits=FAST | EXPLAIN, runs=tmp_path)
    expected = [answer["score"] for answer in pipeline_of(values, tokenizer)(TEXTS)]
    np.testing.assert_allclose(read_predictions(done.folder)["y_pred"], expected, rtol=0, atol=1e-6)
    assert [(audit.error, audit.not_applicable) for audit in done.audits] == [(None, None)] * 2


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_a_model_in_half_precision_is_audited_in_it(precision, network, tokenizer, tmp_path):
    half = bert(tokenizer)
    half.load_state_dict(network.state_dict())
    done = glassbench.audit((half.to(precision), tokenizer), TEXTS, TRUTH, audits=FAST | EXPLAIN, runs=tmp_path)
    assert [(audit.error, audit.not_applicable) for audit in done.audits] == [(None, None)] * 2
    assert {tensor.dtype for tensor in half.parameters()} == {precision}
    expected = own_scores(network, tokenizer, TEXTS)["praise"]
    np.testing.assert_allclose(read_predictions(done.folder)["score.praise"], expected, rtol=0, atol=0.02)


class Counts(torch.nn.Module):
    """Decides by how many tokens it is given, padding among them."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.config = inner, inner.config

    def get_input_embeddings(self):
        return self.inner.get_input_embeddings()

    def forward(self, input_ids, attention_mask=None, **_):
        return SimpleNamespace(logits=torch.full((len(input_ids), 2), float(input_ids.shape[1])) * torch.tensor([0.0, 1.0]))


class CountsForSequenceClassification(Counts):
    """The same, called as classifiers are."""


@pytest.mark.parametrize(
    ("given", "texts", "more", "problem"),
    [
        (lambda m, t: m, TEXTS, {}, "given with its tokenizer"),
        (lambda m, t: (m, None), TEXTS, {}, "given with its tokenizer"),
        (lambda m, t: (m, "bert"), TEXTS, {}, "given with its tokenizer"),
        (lambda m, t: (t, m), TEXTS, {}, "the first of the pair is the model"),
        (lambda m, t: ("bert-base", t), TEXTS, {"y": None}, "does not predict the next token"),
        (lambda m, t: (m.bert, t), TEXTS, {"y": None}, "does not predict the next token"),
        (lambda m, t: type(m), TEXTS, {}, "this is a class"),
        (lambda m, t: (m, tokenizer_of(words=[*DULL] * 2 + [f"w{k}" for k in range(40)])), TEXTS, {}, "vocabulary is not the"),
        (lambda m, t: (bert(t, problem_type="multi_label_classification"), t), TEXTS, {}, "any number of labels"),
        (lambda m, t: (gpt(t, pad_token_id=None), t), TEXTS, {}, "cannot read the texts"),
        (lambda m, t: (CountsForSequenceClassification(m), t), TEXTS, {}, "otherwise than what its tokenizer makes"),
        (lambda m, t: (m, t), [], {"y": []}, "no rows to audit"),
        (lambda m, t: (m, t), [*TEXTS[:-1], None], {}, "what is no text"),
        (lambda m, t: (m, t), pd.DataFrame({"words": TEXTS}), {}, "no column 'text'"),
        (lambda m, t: (m, t), TEXTS[0], {"y": TRUTH[:1]}, "rows are a list"),
        (lambda m, t: (m, t), TEXTS, {"y": TRUTH[:5]}, "5"),
        (lambda m, t: (m, t), TEXTS, {"y": [LABELS.index(label) for label in TRUTH]}, "labels the model does not know"),
        (lambda m, t: (m, t), TEXTS, {"y": ["joy" if label == "praise" else label for label in TRUTH]}, "does not know"),
        (lambda m, t: (m, t), TEXTS, {"classes": LABELS[::-1]}, "in another order"),
        (lambda m, t: (m, t), TEXTS, {"classes": [*LABELS, "shrug"]}, "3 classes are named, and the model knows 2"),
        (lambda m, t: (m, t), TEXTS, {"outputs": "labels"}, "asked for its scores"),
        (pipeline_of, [None, *TEXTS[1:]], {}, "what is no text"),
        (lambda m, t: (m, t), TEXTS, {"reading": {"context": 33}}, "reads fewer tokens"),
        (lambda m, t: (m, t), TEXTS, {"reading": {"context": 2}}, "leaves no room"),
        (lambda m, t: (m, t), TEXTS, {"reading": {"contxt": 4}}, "unknown setting"),
    ],
)
def test_what_does_not_fit_is_refused(given, texts, more, problem, network, tokenizer, tmp_path):
    with pytest.raises((DataError, SettingsError), match=problem) as caught:
        glassbench.audit(given(network, tokenizer), texts, **{"y": TRUTH, "runs": tmp_path / "runs"} | more)
    assert len(str(caught.value).splitlines()) <= 8
    assert not (tmp_path / "runs").exists()


def test_numbers_for_labels_are_named_by_the_model(network, tokenizer, tmp_path):
    """Names in place of the model's are taken; a pipeline's scores may be called probabilities."""
    numbers = [LABELS.index(label) for label in TRUTH]
    with pytest.raises(DataError) as caught:
        glassbench.audit((network, tokenizer), TEXTS, numbers, runs=tmp_path / "runs")
    assert "complaint" in str(caught.value)
    named = {"classes": [0, 1], "outputs": "probabilities", "audits": FAST}
    done = glassbench.audit((network, tokenizer), TEXTS, numbers, runs=tmp_path / "runs", **named)
    expected = own_scores(network, tokenizer, TEXTS)["praise"]
    np.testing.assert_allclose(read_predictions(done.folder)["score.1"], expected, rtol=0, atol=1e-6)


def test_pipelines_of_other_tasks_are_refused(tokenizer, tmp_path):
    masked = transformers.BertForMaskedLM(bert(tokenizer).config)
    other = tokenizer_of(words=["[MASK]", *GOOD, *BAD, *DULL[:-1]], mask_token="[MASK]")
    with pytest.raises(DataError, match="neither decides a class per row nor goes on with a text") as caught:
        glassbench.audit(transformers.pipeline("fill-mask", model=masked, tokenizer=other, device="cpu"), TEXTS, runs=tmp_path)
    assert "text-classification" in str(caught.value)


def test_a_pipeline_whose_network_is_not_of_torch_is_audited_by_its_decisions(network, tokenizer, tmp_path):
    inner = pipeline_of(network, tokenizer)

    class Elsewhere:
        task, tokenizer, model = "text-classification", inner.tokenizer, SimpleNamespace(config=network.config)

        def __call__(self, texts, **settings):
            return inner(texts, **settings)

    done = glassbench.audit(Elsewhere(), TEXTS, TRUTH, audits=FAST | EXPLAIN, runs=tmp_path)
    assert {audit.audit: audit.not_applicable is None for audit in done.audits} == {"performance": True, "explain": False}
    expected = own_scores(network, tokenizer, TEXTS)["praise"]
    np.testing.assert_allclose(read_predictions(done.folder)["score.praise"], expected, rtol=0, atol=1e-6)


def test_texts_are_not_stored_and_words_are_swapped_and_corrupted(network, tokenizer, tmp_path):
    """Audits that rewrite texts can, since the encoder comes along."""
    terms = {"taste": {"fond": ["good"], "cross": ["bad"]}}
    swaps = {"identity": {"terms": terms}, "robustness": {}}
    groups = {"length": ["short" if len(text) < 30 else "long" for text in TEXTS]}
    done = glassbench.audit((network, tokenizer), TEXTS, TRUTH, sensitive=groups, audits=swaps, runs=tmp_path)
    assert [(audit.error, audit.not_applicable) for audit in done.audits] == [(None, None)] * 2
    assert any(finding.grade == "concern" for finding in done.audits[0].findings)
    held = b"".join(path.read_bytes() for path in done.folder.rglob("*") if path.suffix in (".parquet", ".yaml"))
    assert TEXTS[3].encode() not in held
