"""Tokenizers that others trained: special tokens, cutting, and what is no tokenizer."""

import json

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from glassbench.errors import DataError, SettingsError
from glassbench_plugins.pretrained import source
from glassbench_plugins.text.encoder import TextEncoder
from glassbench_plugins.text.remarks import remarks
from glassbench_plugins.text.trained_tokenizer import trained_vocabulary

TOKENS = ["[CLS]", "[SEP]", "my", "wife", "bought", "it", "##s", "[UNK]", "[PAD]"]


@pytest.fixture
def folder(tmp_path):
    tokenizer = Tokenizer(models.WordPiece({token: k for k, token in enumerate(TOKENS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 1), ("[CLS]", 0))
    tokenizer.add_special_tokens(["[CLS]", "[SEP]", "[PAD]", "[UNK]"])
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(pad_id=8, pad_token="[PAD]", length=20)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_padding_and_unknown_are_the_tokenizers_own(folder):
    vocabulary = trained_vocabulary(str(folder))
    assert (vocabulary.padding_number, vocabulary.unknown_number, vocabulary.tokens) == (8, 7, tuple(TOKENS))
    assert vocabulary.numbers(["My wife", "", "zib"]) == [[0, 2, 3, 1], [0, 1], [0, 7, 1]]
    assert vocabulary.table(["my wife"], 6).tolist() == [[0, 2, 3, 1, 8, 8]]


def test_a_text_that_is_cut_keeps_its_end_token(folder):
    vocabulary = trained_vocabulary(str(folder))
    text = "My wife bought its"
    assert vocabulary.table([text], 5).tolist() == [[0, 2, 3, 4, 1]]
    pieces = vocabulary.pieces(text, 5)
    assert "".join(piece.text for piece in pieces) == text
    assert [(piece.text, piece.position) for piece in pieces] == [
        ("", 0), ("My", 1), (" wife", 2), (" bought", 3), (" it", None), ("s", None), ("", 4)
    ]  # fmt: skip
    assert pieces[4].word == pieces[5].word
    assert len({pieces[0].word, pieces[1].word, pieces[6].word}) == 3


def test_a_configuration_beside_it_names_the_padding(folder):
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": {"content": "[SEP]"}}))
    assert trained_vocabulary(str(folder / "tokenizer.json")).padding_number == 1


def test_the_encoder_needs_the_folder_no_more(folder):
    data = remarks(0, rows=40, tokenizer=str(folder))
    assert (data.schema.facts.padding, data.schema.facts.unknown, len(data.schema.facts.vocabulary)) == (8, 7, 9)
    assert any(f"9 tokens of the tokenizer '{folder}'" in note for note in data.notes)
    content = json.loads(json.dumps(data.encoder.to_json()))
    (folder / "tokenizer.json").unlink()
    again = TextEncoder.from_json(content)
    assert torch.equal(again.encode(data.test.raw).inputs[0], data.test.inputs[0])


@pytest.mark.parametrize(
    ("content", "problem"), [(None, "lacks tokenizer.json"), ("{", "cannot be read"), ("words", "names no padding token")]
)
def test_what_is_no_tokenizer_is_refused(tmp_path, content, problem):
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    if content == "words":
        Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]")).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(SettingsError, match=problem):
        trained_vocabulary(str(tmp_path))


def test_no_folder_and_a_context_without_room_are_refused(folder):
    with pytest.raises(SettingsError, match="no such folder"):
        trained_vocabulary(str(folder / "absent"))
    with pytest.raises(DataError, match="no room for the text"):
        remarks(0, rows=40, tokenizer=str(folder), context=2)


def test_a_name_on_the_hub_is_downloaded_once(folder, monkeypatch):
    cache, asked = {}, []

    def download(hub, name):
        asked.append((hub, name))
        if not (folder / name).is_file():
            raise LocalEntryNotFoundError("no network")
        cache[name] = str(folder / name)
        return cache[name]

    monkeypatch.setattr(source, "hf_hub_download", download)
    monkeypatch.setattr(source, "try_to_load_from_cache", lambda hub, name: cache.get(name))
    found = source.Source(name="hf-hub:some/tokenizer", where="dataset.tokenizer")
    assert [found.file("tokenizer.json") for _ in range(2)] == [folder / "tokenizer.json"] * 2
    assert asked == [("some/tokenizer", "tokenizer.json")]
    with pytest.raises(SettingsError, match=r"absent.json cannot be had from the hub"):
        found.file("absent.json")
