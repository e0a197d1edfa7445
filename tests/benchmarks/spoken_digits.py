"""Spoken digits joined into sequences of 3 to 5: experiments on known speakers and with one speaker held out.

    python tests/benchmarks/spoken_digits.py FOLDER               # writes FOLDER/known.yaml; run it with `glassbench run`
    python tests/benchmarks/spoken_digits.py FOLDER --hold-out theo  # writes FOLDER/held-out-theo.yaml
    python tests/benchmarks/spoken_digits.py FOLDER --test 12     # the same as the first, with more sequences to judge by

FOLDER holds `recordings/`, unpacked from `recordings.zip`. Of known speakers the recordings 0 to 4 of each digit (`--test`: how
many) are for testing and the next three for validation; the speaker held out is for testing alone.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
VALIDATION = 3


def table(folder, held_out, test):
    rows, validation = [], range(test, test + VALIDATION)
    for path in sorted((folder / "recordings").glob("*.wav")):
        digit, speaker, index = path.stem.split("_")
        part = "test" if int(index) < test else "validation" if int(index) in validation else "train"
        if held_out is not None:
            part = "test" if speaker == held_out else "validation" if int(index) in validation else "train"
        rows.append({"file": path.name, "text": WORDS[int(digit)], "speaker": speaker, "part": part})
    return pd.DataFrame(rows)


def experiment(folder, held_out, test):
    name = "known" if held_out is None else f"held-out-{held_out}"
    table(folder, held_out, test).to_csv(folder / f"{name}.csv", index=False)
    dataset = {
        "use": "joined-recordings", "path": str(folder / "recordings"), "metadata": str(folder / f"{name}.csv"),
        "words": [3, 5], "rounds": 4, "sensitive": ["speaker"], "split": {"by": "column", "column": "part"},
    }  # fmt: skip
    trainer = {
        "use": "lightning", "max_epochs": 14, "batch_size": 16, "learning_rate": 0.002, "schedule": "cosine", "warmup": 0.05,
        "gradient_clip": 1.0, "early_stopping": None, "threads": 1,
    }  # fmt: skip
    audits = {"performance": {}, "fairness": {}, "errors": {}}
    model = {"use": "conv-recurrent", "hop": 0.016, "width": 96, "dropout": 0.2}
    task = {"use": "speech-recognition"}
    whole = {"name": name, "dataset": dataset, "task": task, "model": model, "trainer": trainer, "audits": audits, "seed": 7}
    (folder / f"{name}.yaml").write_text(json.dumps(whole, indent=1))
    print(folder / f"{name}.yaml")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hold-out", help="the speaker that only the test rows are of")
    parser.add_argument("--test", type=int, default=5, help="recordings of each digit and known speaker that are for testing")
    given = parser.parse_args()
    experiment(given.folder.resolve(), given.hold_out, given.test)
