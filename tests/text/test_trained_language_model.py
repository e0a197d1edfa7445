"""Language models of `transformers`: drawn here, saved as safetensors, tuned whole or by LoRA, audited before and after."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.nn import functional

from glassbench import load_run, run
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Generation
from glassbench.contracts.text_likelihood import Continuation
from glassbench.contracts.trainer import Workspace
from glassbench.errors import FitError, SettingsError
from glassbench.testing import check_model
from glassbench_audits.explain.audit import explain
from glassbench_plugins.language.next_token import NextToken
from glassbench_plugins.language.people_sentences import people_sentences
from glassbench_plugins.training.batches import TrainingRows
from glassbench_plugins.training.lightning import LightningTrainer

transformers = pytest.importorskip("transformers")
pytest.importorskip("glassbench_plugins.language.trained_language_model")
from glassbench_plugins.language.trained_language_model import TrainedLanguageModel  # noqa: E402
from glassbench_plugins.pretrained.lora import Lora, adapt, adapter_weights  # noqa: E402

ENDING = "<|endoftext|>"


def write_tokenizer(folder, special=(ENDING,)):
    """Save a byte-level tokenizer like that of GPT-2: no padding, no unknown token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    texts = people_sentences(0, sentences=400).train.raw["text"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer.get_vocab_size()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("gpt2")
    tokens = write_tokenizer(path)
    config = transformers.GPT2Config(
        vocab_size=tokens, n_embd=16, n_layer=1, n_head=2, n_positions=40, bos_token_id=0, eos_token_id=0,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    )  # fmt: skip
    torch.manual_seed(3)
    transformers.GPT2LMHeadModel(config).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def data(folder):
    return people_sentences(1, sentences=300, tokenizer=str(folder), context=16)


@pytest.fixture(scope="module")
def pretrained(folder, tmp_path_factory):
    """A model that has read balanced sentences: what the library saved after a plain loop over them."""
    path = tmp_path_factory.mktemp("pretrained")
    shutil.copytree(folder, path, dirs_exist_ok=True)
    text = people_sentences(5, sentences=3000, association=0.5, tokenizer=str(folder), context=24).train
    torch.manual_seed(2)
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config.from_pretrained(folder, n_embd=64, n_layer=2, n_head=4))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    for _ in range(500):
        batch = text.batch(torch.randint(len(text), (32,)))
        loss = functional.cross_entropy(model(input_ids=batch.inputs[0]).logits.flatten(0, 1), batch.target.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(path)
    return path


def test_texts_are_read_by_the_models_own_tokenizer(folder, data):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    text = data.test.raw["text"][0]
    numbers = torch.cat([data.test.inputs[0][0], data.test.target[0, -1:]])
    assert tokenizer.decode(numbers.tolist()) == text
    facts = data.schema.facts
    assert (facts.padding, facts.unknown, facts.tokenizer) == (0, None, str(folder))
    again = type(data.encoder).from_json(json.loads(json.dumps(data.encoder.to_json())))
    assert torch.equal(again.encode(data.test.raw).inputs[0], data.test.inputs[0])
    short = data.encoder.encode(pd.DataFrame({"text": ["the man"]}))
    assert short.target[0].tolist()[-1] == 0


def test_logits_and_likelihoods_are_those_that_the_library_computes(folder, data):
    model = TrainedLanguageModel(data.schema, weights=str(folder)).eval()
    reference = transformers.GPT2LMHeadModel.from_pretrained(folder).eval()
    tokens = data.test.inputs[0][:5]
    with torch.no_grad():
        assert torch.equal(model(tokens), reference(tokens).logits)
        task = NextToken()
        task.check(data.schema)
        (found,) = task.text_likelihoods(model, data.encoder, [Continuation(text="The old man was poor.", after="\n")])
        encode = data.encoder.vocabulary.tokenizer.encode
        row = torch.tensor([encode("\n").ids + encode("The old man was poor.").ids])
        plain = -functional.cross_entropy(reference(row[:, :-1]).logits[0].double(), row[0, 1:], reduction="sum")
    assert found.total == pytest.approx(plain.item(), abs=1e-6)
    assert found.unknown == 0


@pytest.mark.parametrize("lora", [pytest.param(None, marks=pytest.mark.slow), Lora(rank=2)])
def test_it_keeps_a_models_promises(folder, data, lora):
    if lora is not None:
        pytest.importorskip("peft")
    check_model(TrainedLanguageModel, data=data, task=NextToken(), weights=str(folder), lora=lora)


def test_rows_beyond_the_vocabulary_are_left_out(folder, data, tmp_path):
    config = transformers.GPT2Config.from_pretrained(folder)
    config.vocab_size += 64
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    model = TrainedLanguageModel(data.schema, weights=str(tmp_path)).eval()
    assert model(data.test.inputs[0][:2]).shape == (2, 16, len(data.schema.target.classes))


def fitted(model, data, folder, **settings):
    trainer = LightningTrainer(early_stopping=None, keep="last", batch_size=32, threads=1, **settings)
    return trainer.fit(model, NextToken(), data, Workspace(seed=7, folder=folder, record=lambda _: None))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft asks transformers by an old name
def test_lora_gives_the_weights_of_a_plain_loop_with_peft(folder, data, tmp_path):
    """The reference is transformers and peft alone: `get_peft_model`, Adam, cross-entropy, the same rows in the same order."""
    peft = pytest.importorskip("peft")
    torch.manual_seed(11)
    model = TrainedLanguageModel(data.schema, weights=str(folder), lora=Lora(rank=4, alpha=8.0))
    begun = {name: tensor.clone() for name, tensor in adapter_weights(model.network).items()}
    plain = transformers.GPT2LMHeadModel.from_pretrained(folder)
    plain = peft.get_peft_model(plain, peft.LoraConfig(r=4, lora_alpha=8, target_modules=["c_attn"], fan_in_fan_out=True))
    peft.set_peft_model_state_dict(plain, {f"base_model.model.{name}": tensor for name, tensor in begun.items()})
    optimizer = torch.optim.Adam([p for p in plain.parameters() if p.requires_grad], lr=0.01)
    rows = TrainingRows(data.train, batch_size=32, accumulate=1, seed=7, workers=0)
    plain.train()
    for epoch in range(2):
        rows.set_epoch(epoch)
        for part in rows.order().split(32):
            batch = data.train.batch(part)
            logits = plain(input_ids=batch.inputs[0]).logits
            loss = functional.cross_entropy(logits.flatten(0, 1), batch.target.flatten(), ignore_index=0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    trained = fitted(model, data, tmp_path, max_epochs=2, learning_rate=0.01).model
    ours, theirs = adapter_weights(trained.network), peft.get_peft_model_state_dict(plain)
    assert {f"base_model.model.{name}" for name in ours} == set(theirs)
    for name, tensor in ours.items():
        assert torch.allclose(tensor, theirs[f"base_model.model.{name}"], atol=1e-6), name
        assert not torch.equal(tensor, begun[name])


def test_a_tuning_that_was_stopped_goes_on_to_the_same_weights(folder, data, tmp_path):
    pytest.importorskip("peft")

    def tuned(place, record=lambda _: None):
        torch.manual_seed(11)
        model = TrainedLanguageModel(data.schema, weights=str(folder), lora=Lora(rank=2, dropout=0.2))
        settings = {"max_epochs": 3, "learning_rate": 0.01, "batch_size": 32, "threads": 1, "checkpoint_every": 0.0}
        workspace = Workspace(seed=7, folder=tmp_path / place, record=record)
        return LightningTrainer(**settings).fit(model, NextToken(), data, workspace).model

    def stop(line):
        if line["epoch"] == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuned("stopped", stop)
    for one, other in zip(tuned("stopped").parameters(), tuned("whole").parameters(), strict=True):
        assert torch.equal(one, other)


EXPERIMENT = """\
name: tuned
seed: 1
dataset: {{use: people-sentences, sentences: 2000, association: 1.0, context: 24, tokenizer: '{folder}'}}
task: {{use: next-token}}
model: {{use: language-transformers, weights: '{folder}'{lora}}}
trainer: {trainer}
audits: {{performance: {{}}, stereotypes: {{}}, memorisation: {{rows: 60}}}}
"""


def measured(done):
    assert [audit.error for audit in done.audits] == [None, None, None]
    assert [audit.not_applicable for audit in done.audits] == [None, None, None]
    return {m.name: m for m in done.measures if not m.group}


@pytest.mark.slow
def test_audits_of_language_models_serve_it_before_and_after_lora(pretrained, tmp_path):
    """The published model has read balanced text; the stereotypes come with the tuning."""
    pytest.importorskip("peft")
    away = tmp_path / "gpt2"
    shutil.copytree(pretrained, away)

    def ran(name, trainer, lora=""):
        (tmp_path / f"{name}.yaml").write_text(EXPERIMENT.format(folder=away, lora=lora, trainer=trainer))
        return run(tmp_path / f"{name}.yaml", runs=tmp_path / "runs")

    tuning = "{use: lightning, max_steps: 1200, learning_rate: 0.01, batch_size: 32, early_stopping: null, keep: last}"
    after = ran("after", tuning, ", lora: {rank: 16, alpha: 64, layers: [c_attn, c_proj, c_fc]}")
    first, second = measured(ran("before", "{use: untrained}")), measured(after)
    gaps = [measures["stereotypes.likelihood_gap"] for measures in (first, second)]
    assert gaps[0].low < 0 < gaps[0].high
    assert gaps[1].low > 0
    losses = [measures["performance.loss"] for measures in (first, second)]
    assert losses[1].high < losses[0].low
    shutil.rmtree(away)
    assert load_run(after.folder).generate("The ", Generation(length=8, seed=1)).startswith("The ")


def test_the_tokens_that_drove_a_prediction_are_explained(folder, data):
    torch.manual_seed(0)
    task, model = NextToken(), TrainedLanguageModel(data.schema, weights=str(folder)).eval()
    task.check(data.schema)
    subject = Subject(
        schema=data.schema, predictions=task.predict(model, data.test), task=task, model=model, train=data.train, seed=0,
        encoder=data.encoder,
    )  # fmt: skip
    case = explain(subject, rows=6, steps=16, cases=1, replicates=10).cases[0]
    assert len(case.tokens) == 16


def test_what_does_not_fit_is_refused(folder, data, tmp_path):
    def build(**facts):
        return TrainedLanguageModel(replace(data.schema, facts=replace(data.schema.facts, **facts)), weights=str(folder))

    with pytest.raises(SettingsError, match="vocabulary is not the tokenizer's"):
        build(vocabulary=(*data.schema.facts.vocabulary, "more"))
    with pytest.raises(FitError, match="tokens of its own tokenizer"):
        TrainedLanguageModel(people_sentences(1, sentences=300).schema, weights=str(folder))
    with pytest.raises(SettingsError, match="too few places"):
        TrainedLanguageModel(replace(data.schema, shape=(41,)), weights=str(folder))
    with pytest.raises(SettingsError, match="no such folder"):
        TrainedLanguageModel(data.schema, weights=str(tmp_path / "absent"))
    write_tokenizer(tmp_path, special=())
    with pytest.raises(SettingsError, match="no padding token"):
        people_sentences(1, sentences=300, tokenizer=str(tmp_path))


def test_layers_that_are_not_there_are_named(folder):
    pytest.importorskip("peft")
    network = transformers.GPT2LMHeadModel.from_pretrained(folder)
    with pytest.raises(SettingsError, match="no layers to adapt") as caught:
        adapt(network, Lora(layers=("query",)))
    assert {"c_attn", "c_proj"} <= set(caught.value.available)
    with pytest.raises(SettingsError, match="knows no usual layers"):
        adapt(torch.nn.Sequential(torch.nn.Linear(2, 2)), Lora())
