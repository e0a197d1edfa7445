"""Normalised mutual information of deep clustering and of k-means with the digits, on the same held-out images.

`python tests/benchmarks/deep_clustering.py --seeds 11 12 13 14 15` prints both for each seed, with the seconds of processor time.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from sklearn.metrics import normalized_mutual_info_score

from glassbench.contracts.trainer import Workspace
from glassbench_plugins.clustering.deep import deep_clustering
from glassbench_plugins.clustering.kmeans import kmeans
from glassbench_plugins.clustering.task import Clustering
from glassbench_plugins.training.estimator import EstimatorTrainer
from glassbench_plugins.training.lightning import LightningTrainer
from glassbench_plugins.vision.digits import digits

DEEP = LightningTrainer(max_epochs=300, batch_size=128, threads=1)


def information(model, trainer, data, seed):
    """Return what held-out clusters and digits share, and the seconds of the training."""
    task = Clustering()
    task.check(data.schema)
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        fitted = trainer.fit(model, task, data, Workspace(seed=seed, folder=Path(folder), record=lambda line: None))
    frame = task.predict(fitted.model, data.test).frame
    return normalized_mutual_info_score(frame["y_true"], frame["y_pred"]), time.process_time() - started


def main(seeds):
    gains = []
    for seed in seeds:
        data = digits(seed)
        torch.manual_seed(seed)
        deep, took = information(deep_clustering(data.schema, augment="shift"), DEEP, data, seed)
        near, _ = information(kmeans(data.schema, clusters=10), EstimatorTrainer(), data, seed)
        gains.append(deep - near)
        print(f"seed {seed}: deep {deep:.3f} in {took:.0f} s, k-means {near:.3f}, gain {gains[-1]:+.3f}", flush=True)
    print(f"mean gain {statistics.mean(gains):+.3f}")


parser = argparse.ArgumentParser()
parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13, 14, 15])
main(parser.parse_args().seeds)
