"""Fashion-MNIST from 100 labels: pretraining without labels and a probe, against training from chance.

    python tests/benchmarks/transfer.py FOLDER --network cnn --objective masked --epochs 48

FOLDER holds the IDX files. Draws of ten images of each class, `--first` the number of the first of five; all 10,000 test images
are judged. The probe is a logistic regression on standardised codes. Settings were chosen on draws 1 to 5 and 2,000 of the test
images; draws 6 to 10 are fresh.
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
from glassbench_plugins.vision.vit import VisionTransformer

WIDTHS, DRAWS, AT_ONCE = (16, 32, 64), 5, 500
RATES = {"cnn": 5e-3, "vit": 2e-3}


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


def asked_in_parts(model, rows):
    with torch.no_grad():
        return torch.cat([model(part) for part in rows.split(AT_ONCE)]).numpy()


def main(folder, network, objective, epochs, images, first):
    data = idx(1, path=folder, train_rows=images, validation_share=0)
    rows, truth = data.train.batch(slice(None)).inputs[0], data.train.target
    held_out, wanted = data.test.batch(slice(None)).inputs[0], data.test.target.numpy()
    seeds, rate, chance = range(first, first + DRAWS), RATES[network], []
    for seed in seeds:
        few = torch.as_tensor(draw(truth.numpy(), seed))
        torch.manual_seed(seed)
        model = Cnn(data.schema, widths=WIDTHS) if network == "cnn" else VisionTransformer(data.schema)
        supervised = partial(cross_entropy, model, rows[few], truth[few])
        descend(model, supervised, 100, 60, 20, rate, seed)
        chance.append(float((asked_in_parts(model, held_out).argmax(axis=1) == wanted).mean()))
    torch.manual_seed(1)
    learner = Pretraining(data.schema, network=network, objective=objective, widths=WIDTHS, flips=True)
    descend(learner, lambda p: learner.objective(rows[p]).mean(), len(rows), epochs, 128, rate, 1)
    codes, asked = asked_in_parts(learner, rows), asked_in_parts(learner, held_out)
    middle, spread = codes.mean(axis=0), codes.std(axis=0) + 1e-6
    probes = []
    for seed in seeds:
        few = draw(truth.numpy(), seed)
        probe = LogisticRegression(max_iter=500).fit((codes[few] - middle) / spread, truth.numpy()[few])
        probes.append(float(probe.score((asked - middle) / spread, wanted)))
    for name, found in (("from chance", chance), ("pretraining and probe", probes), ("more", np.subtract(probes, chance))):
        print(f"{name}: {np.mean(found):.3f} ({', '.join(f'{one:.3f}' for one in found)})")
    print(f"{time.process_time() / 60:.1f} processor minutes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--network", choices=("cnn", "vit"), default="cnn")
    parser.add_argument("--objective", choices=("contrastive", "masked"), default="masked")
    parser.add_argument("--epochs", type=int, default=48)
    parser.add_argument("--first", type=int, default=6, help="the first of five draws of labels")
    parser.add_argument("--images", type=int, default=6000)
    given = parser.parse_args()
    main(given.folder, given.network, given.objective, given.epochs, given.images, given.first)
