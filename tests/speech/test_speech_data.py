"""Generated utterances and recordings keep their promises, and what is odd about files is refused or counted."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from glassbench.errors import GlassbenchError
from glassbench.testing import check_dataset
from glassbench_plugins.speech.alphabet import Alphabet
from glassbench_plugins.speech.joined import joined_recordings
from glassbench_plugins.speech.letter_tones import RATE, SPEAKERS, sounded, utterance
from glassbench_plugins.speech.transcribed import wav_transcripts

WORDS = ("zero", "one", "two", "three")


@pytest.fixture
def recordings(tmp_path):
    """Ninety-six recordings of four words by three speakers, 0.10 to 0.15 s long, each with a level of its own."""
    rows = []
    for place in range(96):
        word, speaker = WORDS[place % 4], ("ann", "bob", "cid")[place // 4 % 3]
        level = (place + 1) / 100
        soundfile.write(tmp_path / f"{place}.wav", np.full(800 + 4 * place, level, dtype=np.float32), 8000, subtype="FLOAT")
        rows.append(
            {"file": f"{place}.wav", "text": word, "speaker": speaker, "part": ("train", "train", "test")[place // 12 % 3]}
        )
    pd.DataFrame(rows).to_csv(tmp_path / "words.csv", index=False)
    return {"path": str(tmp_path), "metadata": str(tmp_path / "words.csv")}


def levels(clip):
    """Return which recordings a joined clip is made of, by their levels."""
    return [round(100 * level) - 1 for level in dict.fromkeys(np.round(clip[clip > 0], 4).tolist())]


def test_each_letter_sounds_where_it_is_said_to():
    generator = np.random.default_rng(3)
    said = utterance(SPEAKERS[0], generator)
    clip = sounded(said, 3 * RATE, 0.0, generator)
    for sound in said.sounds:
        part = clip[round(sound.start * RATE) : round(sound.stop * RATE)]
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)), 2**14))
        assert np.argmax(power) / 2**14 * RATE == pytest.approx(sound.frequency, abs=12)
    silent = np.ones(len(clip), dtype=bool)
    for sound in said.sounds:
        silent[round(sound.start * RATE) : round(sound.stop * RATE)] = False
    assert not clip[silent].any()


def test_transcripts_keep_their_promises(recordings):
    data = check_dataset(wav_transcripts, rate=8000, sensitive=("speaker",), **recordings)
    assert data.schema.target.classes[:2] == ("[blank]", "e")
    assert data.schema.shape == (800 + 4 * 95,)


def test_joined_recordings_keep_their_promises(recordings):
    split = {"by": "column", "column": "part", "validation": 0}
    check_dataset(joined_recordings, words=(2, 3), sensitive=("speaker",), split=split, seeded=False, **recordings)


def test_sequences_join_recordings_of_one_speaker_and_none_is_learnt_from_and_judged_by(recordings):
    split = {"by": "column", "column": "part", "validation": 0}
    data = joined_recordings(1, words=(2, 3), sensitive=("speaker",), split=split, rounds=3, **recordings)
    table = pd.read_csv(recordings["metadata"])
    used = {}
    for name, part in (("train", data.train), ("test", data.test)):
        whole = part.batch(slice(None)).inputs[0].numpy()
        found = [levels(clip) for clip in whole]
        for places, text, speaker in zip(found, part.raw["transcript"], part.groups["speaker"], strict=True):
            assert " ".join(table["text"].iloc[places]) == text
            assert set(table["speaker"].iloc[places]) == {speaker}
        used[name] = [place for places in found for place in places]
    assert set(table["part"].iloc[used["train"]]) == {"train"}
    assert set(table["part"].iloc[used["test"]]) == {"test"}
    assert len(used["test"]) == len(set(used["test"]))
    assert max(used["train"].count(place) for place in set(used["train"])) == 3


def test_a_speaker_can_be_held_out(recordings):
    split = {"by": "cluster", "column": "speaker", "validation": 0, "test": 0.3}
    data = joined_recordings(1, words=(2, 3), sensitive=("speaker",), split=split, **recordings)
    assert set(data.train.groups["speaker"]).isdisjoint(data.test.groups["speaker"])


def test_longer_files_are_left_out_and_counted(recordings):
    data = wav_transcripts(0, rate=8000, seconds=0.14, **recordings)
    assert "15 files longer than 0.14 s are left out." in data.notes
    assert sum(len(part) for part in (data.train, data.validation, data.test)) == 81


def test_broken_files_and_rows_without_a_transcript_are_counted(recordings, tmp_path):
    (tmp_path / "5.wav").write_bytes(b"RIFF....WAVE")
    table = pd.read_csv(recordings["metadata"])
    table.loc[7, "text"] = None
    table.to_csv(recordings["metadata"], index=False)
    said = " ".join(wav_transcripts(0, rate=8000, **recordings).notes)
    assert "1 files cannot be read and are skipped: 5.wav" in said
    assert "1 rows of the metadata without a label or a file are left out" in said


@pytest.mark.parametrize(
    ("function", "settings", "said"),
    [
        (wav_transcripts, {"path": "nowhere"}, "no such folder"),
        (wav_transcripts, {"text_column": "txt"}, "no column 'txt'"),
        (wav_transcripts, {"seconds": 0.01}, "longer than a clip"),
        (joined_recordings, {"words": (4, 2)}, "smaller number comes first"),
        (joined_recordings, {"words": (90, 95)}, "enough recordings|no utterance"),
        (joined_recordings, {"speaker": None, "sensitive": ("speaker",)}, "differs among recordings"),
    ],
)
def test_bad_input_is_named(function, settings, said, recordings):
    with pytest.raises(GlassbenchError, match=said) as error:
        function(0, **{**recordings, **settings})
    assert len(str(error.value).splitlines()) < 20


def test_symbols_that_are_not_learnt_are_named():
    alphabet = Alphabet.of(["one", "two"], "characters")
    with pytest.raises(GlassbenchError, match="no training transcript holds") as error:
        alphabet.encode(["six"])
    assert "correct the transcripts" in str(error.value)
