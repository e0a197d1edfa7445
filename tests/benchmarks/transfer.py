"""Fashion-MNIST from 100 labels: pretraining without labels and a probe, against training from chance.

    python tests/benchmarks/transfer.py FOLDER --epochs 20 --images 6000

FOLDER holds the IDX files. Five draws of ten images of each class; 2,000 of the test images are judged. The probe is a logistic
regression on standardised codes.
"""

import argparse
import time
from functools import partial

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from glassbench_plugins.vision.cnn import Cnn
from glassbench_plugins.vision.idx import idx
from glassbench_plugins.vision.pretraining import Pretraining

WIDTHS, SEEDS = (16, 32, 64), range(1, 6)


def draw(truth, seed):
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.permutation(np.flatnonzero(truth == k))[:10] for k in range(10)])


def descend(model, loss, many, epochs, size, rate, seed):
    """Descend a loss of row positions under a cosine schedule, in whole minibatches."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * (many // size))
    model.train()
    for _ in range(epochs):
        for part in torch.randperm(many, generator=generator).split(size):
            if len(part) == size:
                optimizer.zero_grad()
                loss(part).backward()
                optimizer.step()
                schedule.step()
    return model.eval()


def cross_entropy(model, rows, truth, part):
    return torch.nn.functional.cross_entropy(model(rows[part]), truth[part])


def main(folder, epochs, images):
    data = idx(1, path=folder, train_rows=images, validation_share=0)
    rows, truth = data.train.batch(slice(None)).inputs[0], data.train.target
    test = data.test.take(np.random.default_rng(0).permutation(len(data.test))[:2000])
    held_out, wanted = test.batch(slice(None)).inputs[0], test.target.numpy()
    chance = []
    for seed in SEEDS:
        few = torch.as_tensor(draw(truth.numpy(), seed))
        torch.manual_seed(seed)
        model = Cnn(data.schema, widths=WIDTHS)
        supervised = partial(cross_entropy, model, rows[few], truth[few])
        descend(model, supervised, 100, 60, 20, 5e-3, seed)
        with torch.no_grad():
            chance.append(float((model(held_out).argmax(dim=1).numpy() == wanted).mean()))
    torch.manual_seed(1)
    learner = Pretraining(data.schema, widths=WIDTHS, flips=True)
    descend(learner, lambda p: learner.objective(rows[p]).mean(), len(rows), epochs, 128, 5e-3, 1)
    with torch.no_grad():
        codes, asked = learner(rows).numpy(), learner(held_out).numpy()
    middle, spread = codes.mean(axis=0), codes.std(axis=0) + 1e-6
    probes = []
    for seed in SEEDS:
        few = draw(truth.numpy(), seed)
        probe = LogisticRegression(max_iter=500).fit((codes[few] - middle) / spread, truth.numpy()[few])
        probes.append(float(probe.score((asked - middle) / spread, wanted)))
    for name, found in (("from chance", chance), ("pretraining and probe", probes)):
        print(f"{name}: {np.mean(found):.3f} ({', '.join(f'{one:.3f}' for one in found)})")
    print(f"{time.process_time() / 60:.1f} processor minutes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--images", type=int, default=6000)
    given = parser.parse_args()
    main(given.folder, given.epochs, given.images)
