"""A run's data fingerprint changes with everything that is read, whatever form it comes in."""

from dataclasses import replace

import numpy as np
import torch

from glassbench.contracts.data import Split
from glassbench.contracts.packed import Packed, pack
from glassbench.runs.provenance import fingerprint
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.vision.files import Form
from glassbench_plugins.vision.pictures import ImagesOnDisk

ROWS = np.arange(2)


def of_train(part):
    return fingerprint({"train": part, "validation": None})


def test_environments_differ_by_what_they_are_made_from():
    def made(**changes):
        data = environment(0, **{"id": "CartPole-v1", **changes})
        return fingerprint({"train": data.train, "test": data.test})

    changes = [
        {},
        {"id": "Acrobot-v1"},
        {"max_episode_steps": 9},
        {"evaluation_seed": 3},
        {"id": "CartPole-v1", "contexts": {"gravity": [1, 2]}},
    ]
    found = [made(**change) for change in changes]
    assert len(set(found)) == len(changes)
    assert made() == found[0] != fingerprint({})


def test_files_that_stay_on_disk_count_with_their_content(tmp_path):
    paths = tuple(tmp_path / name for name in "ab")
    for path in paths:
        path.write_bytes(b"same length")
    split = Split(inputs=ImagesOnDisk(paths, Form(height=1, width=1), None), rows=ROWS)
    before = of_train(split)
    assert of_train(split) == before
    paths[1].write_bytes(b"same-length")
    assert of_train(split) != before


def test_packed_rows_count():
    first, second = (np.full((2, 2), value) for value in (1, 2))
    splits = [Split(inputs=Packed.of([pack(first), pack(last)], (2, 2)), rows=ROWS) for last in (first, second)]
    assert of_train(splits[0]) != of_train(splits[1])


def test_rows_in_memory_count_with_every_part():
    split = Split(inputs=(torch.zeros(2, 1),), rows=ROWS, target=torch.zeros(2))
    others = [replace(split, target=torch.ones(2)), replace(split, inputs=(torch.ones(2, 1),)), replace(split, rows=ROWS + 1)]
    assert len({of_train(one) for one in (split, *others)}) == 4


def test_weights_count():
    split = Split(inputs=(torch.zeros(2, 1),), rows=ROWS)
    weighted = [of_train(replace(split, weights=np.array(weights))) for weights in ([1.0, 2.0], [1.0, 3.0])]
    assert len({of_train(split), *weighted}) == 3
