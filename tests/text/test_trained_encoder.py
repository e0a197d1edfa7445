"""Encoders of `transformers`: drawn at random here, saved as safetensors, then used as if others had trained them."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from glassbench import load_run, run
from glassbench.errors import FitError, GlassbenchError, SettingsError
from glassbench.testing import check_model
from glassbench_plugins.text.remarks import Recipe, remarks, written

transformers = pytest.importorskip("transformers")
encoders = pytest.importorskip("glassbench_plugins.text.trained_encoder")

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def write_tokenizer(folder):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    texts = written(Recipe(rows=300), np.random.default_rng(7))["remark"]
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=400, special_tokens=SPECIAL, show_progress=False))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer.get_vocab_size()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("bert")
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
    config = transformers.BertConfig(vocab_size=write_tokenizer(path), max_position_embeddings=40, **sizes)
    torch.manual_seed(3)
    transformers.BertModel(config).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def data(folder):
    return remarks(1, rows=160, tokenizer=str(folder))


@pytest.mark.parametrize("settings", [{}, {"freeze": True}, {"pooling": "first"}])
def test_it_keeps_a_models_promises(folder, data, settings):
    check_model(encoders.TrainedEncoder, data=data, weights=str(folder), dropout=0.0, **settings)


def test_its_states_are_those_that_the_library_computes(folder, data):
    model = encoders.TrainedEncoder(data.schema, weights=str(folder)).eval()
    tokens = data.test.inputs[0][:4]
    reference = transformers.BertModel.from_pretrained(folder).eval()
    with torch.no_grad():
        for row, logits in zip(tokens, model(tokens), strict=True):
            states = reference(row[row != 0][None]).last_hidden_state
            assert torch.allclose(model.head(states.mean(dim=1))[0], logits, atol=1e-5)
        assert torch.isfinite(model(torch.zeros_like(tokens))).all()


def test_a_frozen_encoder_stays_as_it_came(folder, data):
    model = encoders.TrainedEncoder(data.schema, weights=str(folder), freeze=True, dropout=0.0).train()
    assert [name for name, p in model.named_parameters() if p.requires_grad] == ["head.weight", "head.bias"]
    tokens = data.test.inputs[0][:4]
    assert torch.equal(model(tokens), model(tokens))
    assert model.get_submodule(model.attribution_layer).weight.shape[1] == 32


def test_lora_leaves_the_encoder_as_it_came_and_adapts_beside_it(folder, data):
    pytest.importorskip("peft")
    lora = encoders.Lora(rank=2, layers=("query", "value"))
    model = encoders.TrainedEncoder(data.schema, weights=str(folder), lora=lora)
    learnt = {name.split(".")[-3] for name, p in model.encoder.named_parameters() if p.requires_grad}
    assert learnt == {"lora_A", "lora_B"}
    assert model.head.weight.requires_grad
    tokens, reference = data.test.inputs[0][:4], transformers.BertModel.from_pretrained(folder).eval()
    mask = (tokens != 0).long()
    with torch.no_grad():  # the change is 0 at first
        states = reference(tokens, attention_mask=mask).last_hidden_state
        assert torch.equal(model.eval().encoder(input_ids=tokens, attention_mask=mask).last_hidden_state, states)
    with pytest.raises(SettingsError, match="not adapted"):
        encoders.TrainedEncoder(data.schema, weights=str(folder), lora=lora, freeze=True)


def test_a_run_adapted_by_lora_is_read_again_without_the_folder(folder, tmp_path):
    pytest.importorskip("peft")
    away = tmp_path / "bert"
    shutil.copytree(folder, away)
    text = EXPERIMENT.replace("rows: 600", "rows: 200").replace("max_epochs: 14", "max_epochs: 2")
    text = text.replace("dropout: 0.0}}", "dropout: 0.0, lora: {{rank: 4}}}}").replace(
        "audits: ", "audits: {{performance: {{}}}}\n#"
    )
    (tmp_path / "experiment.yaml").write_text(text.format(folder=away))
    done = run(tmp_path / "experiment.yaml", runs=tmp_path / "runs")
    shutil.rmtree(away)
    again = load_run(done.folder)
    rows = written(Recipe(rows=20), np.random.default_rng(5))
    assert len(again.predict(rows[["remark"]])) == 20


EXPERIMENT = """\
name: pretrained
seed: 1
dataset: {{use: remarks, rows: 600, tokenizer: '{folder}'}}
task: {{use: classification}}
model: {{use: transformers, weights: '{folder}', dropout: 0.0}}
trainer: {{use: lightning, max_epochs: 14, learning_rate: 0.003, batch_size: 32}}
audits: {{performance: {{}}, explain: {{rows: 16, steps: 16, cases: 2, replicates: 20}}}}
"""


def test_a_run_is_trained_explained_and_read_again_without_the_folder(folder, tmp_path):
    away = tmp_path / "bert"
    shutil.copytree(folder, away)
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT.format(folder=away))
    done = run(tmp_path / "experiment.yaml", runs=tmp_path / "runs")
    assert [audit.error for audit in done.audits] == [None, None]
    assert next(m.value for m in done.measures if m.name == "performance.accuracy") > 0.9
    words = next(table for audit in done.audits for table in audit.tables if table.title == "Words that move the decisions most")
    known = {"excellent", "lovely", "reliable", "brilliant", "sturdy", "delightful", "comfortable", "superb", "awful"}
    known |= {"flimsy", "useless", "dreadful", "noisy", "broken", "disappointing", "shabby"}
    assert {row[0] for row in words.rows[:3]} <= known
    shutil.rmtree(away)
    again = load_run(done.folder)
    rows = written(Recipe(rows=20), np.random.default_rng(5))
    decided = again.predict(rows[["remark"]])
    assert (decided["y_pred"].to_numpy() == rows["tone"].to_numpy()).mean() > 0.9


def test_pickle_alone_is_refused(folder, data, tmp_path):
    shutil.copy(folder / "config.json", tmp_path)
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(SettingsError, match="pickle") as caught:
        encoders.TrainedEncoder(data.schema, weights=str(tmp_path))
    assert caught.value.got == "pytorch_model.bin"


def test_code_that_comes_with_weights_is_never_run(folder, data, tmp_path):
    away = tmp_path / "bert"
    shutil.copytree(folder, away)
    (away / "evil.py").write_text("raise SystemExit('ran')")
    config = json.loads((away / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.EvilConfig", "AutoModel": "evil.Evil"}}
    (away / "config.json").write_text(json.dumps(config))
    with pytest.raises(SettingsError, match="cannot be read"):
        encoders.TrainedEncoder(data.schema, weights=str(away))


def test_an_encoder_that_does_not_fit_the_tokens_is_refused(folder, data):
    def build(**facts):
        schema = replace(data.schema, facts=replace(data.schema.facts, **facts))
        return encoders.TrainedEncoder(schema, weights=str(folder))

    with pytest.raises(SettingsError, match="vocabulary is not the tokenizer's"):
        build(vocabulary=(*data.schema.facts.vocabulary, "more"))
    with pytest.raises(SettingsError, match="padding is not the tokenizer's"):
        build(padding=3)
    with pytest.raises(FitError, match="tokens of its own tokenizer"):
        encoders.TrainedEncoder(remarks(1, rows=60).schema, weights=str(folder))
    with pytest.raises(SettingsError, match="too few places"):
        encoders.TrainedEncoder(replace(data.schema, shape=(41,)), weights=str(folder))


def test_missing_and_damaged_folders_are_refused(folder, data, tmp_path):
    with pytest.raises(GlassbenchError, match="no such folder"):
        encoders.TrainedEncoder(data.schema, weights=str(tmp_path / "absent"))
    with pytest.raises(SettingsError, match=r"lacks config.json"):
        encoders.TrainedEncoder(data.schema, weights=str(tmp_path))
    shutil.copy(folder / "config.json", tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(SettingsError, match="cannot be read"):
        encoders.TrainedEncoder(data.schema, weights=str(tmp_path))


@pytest.mark.parametrize(("family", "room"), [("Roberta", 39), ("Bert", 40), ("DistilBert", 40), ("Electra", 40)])
def test_the_last_place_can_be_read_and_the_next_is_refused(family, room, data, tmp_path):
    sizes = {"num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": 16, "intermediate_size": 16}
    if family == "DistilBert":
        sizes = {"n_layers": 1, "n_heads": 2, "dim": 16, "hidden_dim": 16}
    tokens = len(data.schema.facts.vocabulary)
    config = getattr(transformers, f"{family}Config")(
        vocab_size=tokens, max_position_embeddings=40, pad_token_id=0, bos_token_id=2, eos_token_id=3, **sizes
    )
    getattr(transformers, f"{family}Model")(config).save_pretrained(tmp_path)
    model = encoders.TrainedEncoder(replace(data.schema, shape=(room,)), weights=str(tmp_path)).eval()
    assert model(torch.full((2, room), 5)).shape == (2, 2)
    with pytest.raises(SettingsError, match="too few places"):
        encoders.TrainedEncoder(replace(data.schema, shape=(room + 1,)), weights=str(tmp_path))
