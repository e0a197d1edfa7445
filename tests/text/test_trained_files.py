"""Files that others trained: nothing that blocks, fills the memory or carries code is opened."""

import os

import pytest

from glassbench import DataError, SettingsError
from glassbench_plugins.pretrained.source import Source
from glassbench_plugins.text.trained_tokenizer import trained_vocabulary


def pipe(path):
    os.mkfifo(path)


def device(path):
    path.symlink_to("/dev/zero")


def folder(path):
    path.mkdir()


def holes(path):
    path.touch()
    os.truncate(path, 3 << 30)


@pytest.mark.parametrize("made", [pipe, device, folder, holes])
def test_what_is_no_plain_file_of_fair_size_is_refused(tmp_path, made):
    made(tmp_path / "tokenizer.json")
    for name in (str(tmp_path), str(tmp_path / "tokenizer.json")):
        if made is folder and name.endswith(".json"):
            continue  # a folder is looked into
        with pytest.raises(DataError):
            Source(name=name, where="dataset.tokenizer").file("tokenizer.json")


@pytest.mark.parametrize("ending", [".bin", ".pt", ".pkl", ".h5"])
def test_weights_that_may_carry_code_are_not_read(tmp_path, ending):
    (tmp_path / f"weights{ending}").write_bytes(b"\x80\x04.")
    for name in (str(tmp_path), str(tmp_path / f"weights{ending}")):
        with pytest.raises(SettingsError, match=r"pickle|safetensors alone"):
            Source(name=name, where="model.weights").file("model.safetensors")


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, '{"model": {"type": "Pickle"}}', "\x00"])
def test_a_damaged_tokenizer_is_said_to_be_one(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(SettingsError, match="cannot be read"):
        trained_vocabulary(str(tmp_path))


def test_a_damaged_configuration_is_said_to_be_one(tmp_path):
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]")).save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text("[" * 100_000)
    with pytest.raises(SettingsError, match="no JSON"):
        trained_vocabulary(str(tmp_path))
