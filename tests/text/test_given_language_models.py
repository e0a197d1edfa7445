"""Language models given as objects: losses of the library itself, attributions of the same model in a folder, planted tokens."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.nn import functional

import glassbench
from glassbench.contracts.subject import Subject
from glassbench.errors import DataError, RunError, SettingsError
from glassbench.runs.artifacts import read_predictions
from glassbench_audits.generated_text.audit import audit as generated_text
from glassbench_plugins.language.encoder import LanguageEncoder
from glassbench_plugins.language.given_texts import given_texts
from glassbench_plugins.language.next_token import NextToken
from glassbench_plugins.language.people_sentences import people_sentences
from glassbench_plugins.language.windows import running_schema
from glassbench_plugins.text.trained_tokenizer import running_vocabulary

transformers = pytest.importorskip("transformers")
pytest.importorskip("glassbench_plugins.language.trained_language_model")
from glassbench_plugins.language.trained_language_model import TrainedLanguageModel  # noqa: E402

ENDING = "<|endoftext|>"
WINDOWS = people_sentences(0, sentences=600).train.raw["text"]
SENTENCES = [found for line in WINDOWS for found in line.split(" . ")[1:-1]]
TEXTS = list(dict.fromkeys(SENTENCES))[:24]
FAST = {"performance": {"replicates": 50}}


def tokenizer_of(special=(ENDING,), begins=None, **named):
    """Return a byte-level tokenizer like that of GPT-2; with `begins`, it puts that token before each text."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False)
    backend.train_from_iterator(SENTENCES, trainer)
    if begins:
        number = backend.token_to_id(begins)
        backend.post_processor = processors.TemplateProcessing(single=f"{begins} $A", special_tokens=[(begins, number)])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=backend, **({"eos_token": ENDING} | named))


def network_of(tokenizer, kind=None, **changed):
    settings = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 40, "bos_token_id": 0, "eos_token_id": 0} | changed
    torch.manual_seed(3)
    return (kind or transformers.GPT2LMHeadModel)(transformers.GPT2Config(vocab_size=len(tokenizer), **settings))


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of()


@pytest.fixture(scope="module")
def network(tokenizer):
    return network_of(tokenizer)


def own_loss(network, numbers):
    """Return what the library itself computes, in evaluation mode and in single precision."""
    table = torch.tensor([numbers])
    was_training = network.training
    network.eval()
    with torch.no_grad():
        found = network(input_ids=table, labels=table).loss.item()
    network.train(was_training)
    return found


def exact_loss(network, numbers):
    """Return the mean loss of the library's logits in double precision; its own is off by up to 2e-6."""
    table = torch.tensor([numbers])
    with torch.no_grad():
        logits = network.eval()(input_ids=table).logits[0, :-1].double()
    return functional.cross_entropy(logits, table[0, 1:]).item()


@pytest.mark.parametrize("given", ["a pipeline", "a pair"])
def test_losses_are_those_of_the_library_and_the_model_comes_back(given, network, tokenizer, tmp_path):
    network.train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    pipeline = transformers.pipeline("text-generation", model=network, tokenizer=tokenizer, device="cpu")
    model = pipeline if given == "a pipeline" else (network, tokenizer)
    network.train()
    done = glassbench.audit(model, TEXTS, audits=FAST, runs=tmp_path)
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    numbers = [tokenizer(text)["input_ids"] for text in TEXTS]
    expected = np.array([own_loss(network, row) for row in numbers])
    np.testing.assert_allclose(read_predictions(done.folder)["loss"], expected, rtol=0, atol=1e-6)
    predicted = np.array([len(row) - 1 for row in numbers])
    mean = float((expected * predicted).sum() / predicted.sum())
    measured = {m.name: m.value for m in done.measures}
    assert measured["performance.loss"] == pytest.approx(mean, abs=1e-6)
    assert measured["performance.perplexity"] == pytest.approx(np.exp(mean), abs=1e-3)


def test_a_long_text_goes_on_in_rows_that_stay_together(network, tokenizer, tmp_path):
    long = pd.Series([" ".join(TEXTS), TEXTS[0], " ".join(TEXTS[::-1])], index=["x", "y", "z"])
    style = pd.Series(["short", "long", "backwards"], index=["y", "x", "z"])
    sensitive = pd.DataFrame({"style": style})
    done = glassbench.audit((network, tokenizer), long, sensitive=sensitive, reading={"context": 12}, audits=FAST, runs=tmp_path)
    frame = read_predictions(done.folder)
    numbers = {name: tokenizer(text)["input_ids"] for name, text in zip(["long", "short", "backwards"], long, strict=True)}
    for name, row in numbers.items():
        own = frame[frame["group.style"] == name]
        parts = [row[start : start + 13] for start in range(0, len(row) - 1, 12)]
        assert own["tokens"].tolist() == [len(part) - 1 for part in parts]
        np.testing.assert_allclose(own["loss"], [exact_loss(network, part) for part in parts], rtol=0, atol=1e-6)
        assert own["cluster"].nunique() == 1
    assert frame["cluster"].nunique() == 3
    assert frame["tokens"].sum() == sum(len(row) - 1 for row in numbers.values())


def test_what_a_tokenizer_puts_before_a_text_is_read_before_each_row(tmp_path):
    tokenizer = tokenizer_of(special=(ENDING, "<s>"), begins="<s>", bos_token="<s>")
    network = network_of(tokenizer)
    done = glassbench.audit((network, tokenizer), TEXTS, audits=FAST, runs=tmp_path)
    numbers = [tokenizer(text)["input_ids"] for text in TEXTS]
    assert {row[0] for row in numbers} == {1}
    expected = np.array([exact_loss(network, row) for row in numbers])
    frame = read_predictions(done.folder)
    np.testing.assert_allclose(frame["loss"], expected, rtol=0, atol=1e-6)
    assert frame["characters"].tolist() == [len(text) for text in TEXTS]
    long = " ".join(TEXTS)
    cut = glassbench.audit((network, tokenizer), [long], reading={"context": 12}, audits=FAST, runs=tmp_path)
    body = tokenizer(long, add_special_tokens=False)["input_ids"]
    parts = [[1, *body[start : start + 12]] for start in range(0, len(body), 12)]
    again = read_predictions(cut.folder)
    np.testing.assert_allclose(again["loss"], [exact_loss(network, part) for part in parts], rtol=0, atol=1e-6)
    assert again["tokens"].sum() == len(body)


def test_words_are_attributed_as_those_of_the_same_model_in_a_folder(network, tokenizer, tmp_path):
    network.save_pretrained(tmp_path / "gpt2")
    tokenizer.save_pretrained(tmp_path / "gpt2")
    audits = {"generated-text": {"texts": 8, "prompt": 5, "length": 3, "method": "gradients"}}
    done = glassbench.audit((network, tokenizer), TEXTS, reading={"context": 32}, audits=audits, runs=tmp_path / "runs", seed=4)
    encoder = LanguageEncoder(vocabulary=running_vocabulary(str(tmp_path / "gpt2")), context=32)
    schema, task = running_schema(encoder, "window"), NextToken()
    task.check(schema)
    read = TrainedLanguageModel(schema, weights=str(tmp_path / "gpt2")).eval()
    few = task.predict(read, encoder.encode(pd.DataFrame({"text": TEXTS})))
    subject = Subject(schema=schema, predictions=few, task=task, model=read, seed=4, encoder=encoder)
    expected = generated_text(subject, **audits["generated-text"])
    assert expected.measures
    found = {m.name: m.value for m in done.measures}
    for measure in expected.measures:
        assert found[measure.name] == pytest.approx(measure.value, abs=1e-6)
    (result,) = done.audits
    assert [list(row) for row in result.tables[0].rows] == [list(row) for row in expected.tables[0].rows]


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_a_model_in_half_precision_is_audited_in_it(precision, network, tokenizer, tmp_path):
    half = network_of(tokenizer).to(precision)
    audits = FAST | {"explain": {"rows": 8, "steps": 8, "replicates": 10}}
    audits["generated-text"] = {"texts": 8, "prompt": 5, "length": 2, "method": "gradients"}
    done = glassbench.audit((half, tokenizer), TEXTS, audits=audits, runs=tmp_path)
    assert [(audit.error, audit.not_applicable) for audit in done.audits] == [(None, None)] * 3
    assert {tensor.dtype for tensor in half.parameters()} == {precision}
    expected = [exact_loss(network, tokenizer(text)["input_ids"]) for text in TEXTS]
    np.testing.assert_allclose(read_predictions(done.folder)["loss"], expected, rtol=0.01)


class Recalls(transformers.GPT2LMHeadModel):
    """Goes on with a planted token for each place that holds it, far back as it may be; all else counts for nothing."""

    def plant(self, token, weight):
        self.planted = torch.nn.Embedding(self.config.vocab_size, self.config.vocab_size)
        self.planted.weight.data.zero_()
        self.planted.weight.data[token, token] = weight
        return self

    def forward(self, input_ids, **_):
        return SimpleNamespace(logits=self.planted(input_ids).cumsum(dim=1))


@pytest.mark.parametrize("weight", [5.0, 0.0])
def test_a_planted_token_is_named_and_nothing_else_is(weight, tokenizer, tmp_path):
    words = ["the", "old", "man", "was", "at", "home"]
    texts = [" ".join([*words[: 1 + k % 5], "Q", *words[1 + k % 5 :]]) for k in range(20)]
    planted = tokenizer(" Q", add_special_tokens=False)["input_ids"][-1]
    model = network_of(tokenizer, Recalls).plant(planted, weight)
    audits = {"generated-text": {"texts": 12, "prompt": 7, "length": 2}}
    done = glassbench.audit((model, tokenizer), texts, audits=audits, runs=tmp_path)
    (result,) = done.audits
    gap = next(m for m in done.measures if m.name == "generated-text.deletion_difference")
    for _, prompt, written, raised, lowered in result.tables[0].rows:
        held = bool(weight) and "Q" in prompt
        assert raised.startswith("Q (+") if held else raised == "none"
        assert ("Q" in written) == held
        assert lowered == "none"
    assert gap.low > 0 if weight else gap.value == 0
    assert sum("Q" in str(row[1]) for row in result.tables[0].rows) > 5


@pytest.mark.parametrize("steps", [150, 0])
def test_texts_learnt_by_heart_are_found_with_the_texts_of_its_training(steps, tokenizer, tmp_path):
    learnt, others = list(dict.fromkeys(SENTENCES))[:40], list(dict.fromkeys(SENTENCES))[40:80]
    network = network_of(tokenizer, n_embd=64, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    tokenizer.pad_token = ENDING
    batch = torch.tensor(tokenizer(learnt, padding=True)["input_ids"])
    tokenizer.pad_token = None
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(steps):
        network(input_ids=batch, labels=batch.masked_fill(batch == 0, -100)).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    audits = {"memorisation": {}}

    def audited(**given):
        return glassbench.audit((network, tokenizer), others, audits=audits, runs=tmp_path, **given).audits[0]

    grades = {finding.grade for finding in audited(background=learnt, held_out=True).findings}
    assert ("concern" in grades) == (steps > 0)
    assert "not known" in audited().not_applicable
    assert "trained on them" in audited(background=learnt, held_out=False).not_applicable


@pytest.mark.parametrize(
    ("given", "texts", "more", "problem"),
    [
        (lambda m, t: m, TEXTS, {}, "given with its tokenizer"),
        (lambda m, t: (m, "gpt2"), TEXTS, {}, "given with its tokenizer"),
        (lambda m, t: (t, m), TEXTS, {}, "the first of the pair is the model"),
        (lambda m, t: (m.transformer, t), TEXTS, {}, "does not predict the next token"),
        (lambda m, t: type(m), TEXTS, {}, "this is a class"),
        (lambda m, t: (network_of(range(50)), t), TEXTS, {}, "vocabulary is not the tokenizer's"),
        (lambda m, t: (m, tokenizer_of(special=("<s>",), eos_token=None)), TEXTS, {}, "neither padding nor a token that ends"),
        (lambda m, t: (m, t), [], {}, "no rows to audit"),
        (lambda m, t: (m, t), TEXTS[0], {}, "rows are a list"),
        (lambda m, t: (m, t), [*TEXTS, "", "a"], {}, "without a token to predict"),
        (lambda m, t: (m, t), [*TEXTS, [1, 2, 3]], {}, "what is no text"),
        (lambda m, t: (m, t), pd.DataFrame({"words": TEXTS}), {}, "no column 'text'"),
        (lambda m, t: (m, t), None, {}, "audited on rows"),
        (lambda m, t: (m, t), TEXTS, {"y": TEXTS}, "takes no y"),
        (lambda m, t: (m, t), TEXTS, {"reading": {"context": 41}}, "fewer places"),
        (lambda m, t: (m, t), TEXTS, {"reading": {"contxt": 4}}, "unknown setting"),
        (lambda m, t: len, TEXTS, {"reading": {"context": 4}}, "reads rows as they are given"),
        (lambda m, t: (m, t), TEXTS, {"task": "classification"}, "needs classes"),
    ],
)
def test_what_does_not_fit_is_refused(given, texts, more, problem, network, tokenizer, tmp_path):
    with pytest.raises((DataError, SettingsError), match=problem) as caught:
        glassbench.audit(given(network, tokenizer), texts, runs=tmp_path / "runs", **more)
    assert len(str(caught.value).splitlines()) <= 8
    assert not (tmp_path / "runs").exists()


def test_models_and_pipelines_of_other_kinds_are_refused(network, tokenizer, tmp_path):
    settings = {"vocab_size": len(tokenizer), "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    twofold = transformers.T5ForConditionalGeneration(transformers.T5Config(**settings, decoder_start_token_id=0))
    with pytest.raises(DataError, match="reads one text and writes another"):
        glassbench.audit((twofold, tokenizer), TEXTS, runs=tmp_path / "runs")
    features = transformers.pipeline("feature-extraction", model=network.transformer, tokenizer=tokenizer, device="cpu")
    with pytest.raises(DataError, match="neither decides a class per row nor goes on with a text") as caught:
        glassbench.audit(features, TEXTS, runs=tmp_path / "runs")
    assert "text-generation" in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_a_model_on_several_devices_is_refused(tokenizer, tmp_path):
    spread = network_of(tokenizer)
    spread.transformer.ln_f.to("meta")
    with pytest.raises(DataError, match="not on one device"):
        glassbench.audit((spread, tokenizer), TEXTS, runs=tmp_path / "runs")


def test_a_run_says_that_its_texts_are_not_stored(network, tokenizer, tmp_path):
    done = glassbench.audit((network, tokenizer), TEXTS, audits=FAST, runs=tmp_path)
    held = b"".join(path.read_bytes() for path in done.folder.rglob("*") if path.suffix in (".json", ".parquet", ".yaml"))
    assert TEXTS[3].encode() not in held
    assert f"{len(TEXTS)} windows" in (done.folder / "summary.md").read_text()
    assert "performance.loss" in {m.name for m in glassbench.load_run(done.folder).measures}
    with pytest.raises(RunError, match="external"):
        given_texts(0)
