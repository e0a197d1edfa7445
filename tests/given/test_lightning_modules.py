"""A LightningModule and its loaders, trained by their own steps and audited."""

import warnings

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import glassbench
from glassbench.errors import GlassbenchError, RunError
from glassbench_plugins.training.callbacks import ResumePoint


class Net(pl.LightningModule):
    """Dropout and random noise in the training step, a scheduler, two outputs."""

    def __init__(self, rate=0.05):
        super().__init__()
        self.save_hyperparameters()
        self.layers = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))

    def forward(self, x):
        return self.layers(x)

    def training_step(self, batch, _):
        x, y = batch[:2]
        loss = nn.functional.cross_entropy(self(x + 0.1 * torch.randn_like(x)), y)
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        return loss

    def validation_step(self, batch, _):
        self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.rate)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 2)]


class Rows(pl.LightningDataModule):
    """Rows that are divided at random while it is set up."""

    def __init__(self, groups=False):
        super().__init__()
        self.groups = groups

    def setup(self, stage):
        x = torch.randn(400, 4, generator=torch.Generator().manual_seed(0))
        y = (x[:, 0] + x[:, 1] > 0).long()
        columns = [x, y, (x[:, 2] > 0).long()] if self.groups else [x, y]
        if stage == "fit":
            self.parts = torch.utils.data.random_split(TensorDataset(*columns), [240, 80, 80])

    def train_dataloader(self):
        return DataLoader(self.parts[0], batch_size=32, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.parts[1], batch_size=40)

    def test_dataloader(self):
        return DataLoader(self.parts[2], batch_size=40)


def experiment(**more):
    audits = {"audits": ["performance", "learning"]}
    return {"name": "module", "seed": 3, "trainer": {"max_epochs": 4}, "dataset": {"classes": ["no", "yes"]}, **audits, **more}


def net(seed=1):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Net()


def alone(epochs=4):
    """Train by Lightning's own trainer."""
    module, data = net(), Rows()
    with torch.random.fork_rng():
        pl.seed_everything(3, verbose=False)
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
        pl.Trainer(max_epochs=epochs, accelerator="cpu", devices=1, **quiet).fit(module, datamodule=data)
        data.setup("test")
    return module.eval(), data


@pytest.fixture(scope="module")
def expected():
    with warnings.catch_warnings(action="ignore"):
        return alone()


def test_weights_and_decisions_are_those_of_lightning_alone(expected, tmp_path):
    module, data = net(), Rows()
    run = glassbench.run(experiment(), model=module, data=data, runs=tmp_path)
    for name, weight in expected[0].state_dict().items():
        assert torch.equal(module.state_dict()[name], weight), name
    x, y = (torch.stack(column) for column in zip(*[row[:2] for row in expected[1].parts[2]], strict=True))
    accuracy = float((expected[0](x).argmax(1) == y).double().mean())
    assert next(m.value for m in run.measures if m.name == "performance.accuracy") == pytest.approx(accuracy, abs=1e-12)
    assert not [audit.error for audit in run.audits if audit.error]
    assert len((run.folder / "metrics.jsonl").read_text().splitlines()) == 4


def test_a_training_that_was_stopped_goes_on_to_equal_weights(expected, tmp_path, monkeypatch):
    save = ResumePoint.on_train_epoch_end

    def stop(self, trainer, module):
        save(self, trainer, module)
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt

    more = {"trainer": {"max_epochs": 4, "checkpoint_every": 0}}
    monkeypatch.setattr(ResumePoint, "on_train_epoch_end", stop)
    with pytest.raises(KeyboardInterrupt):
        glassbench.run(experiment(**more), model=net(), data=Rows(), runs=tmp_path)
    monkeypatch.undo()
    (folder,) = tmp_path.glob("2*")
    with pytest.raises(RunError, match=r"glassbench\.resume"):
        glassbench.load_run(folder).resume()
    other = net(seed=99)
    glassbench.resume(folder, model=other, data=Rows())
    for name, weight in expected[0].state_dict().items():
        assert torch.equal(other.state_dict()[name], weight), name


def test_groups_come_from_batches_or_from_a_frame(tmp_path):
    content = experiment(audits=["fairness"], trainer={"max_epochs": 1})
    by_batch = glassbench.run(content, model=net(), data=Rows(groups=True), runs=tmp_path)
    groups = by_batch._decider.schema.sensitive
    assert groups == ("group",)
    by_frame = glassbench.run(content, model=net(), data=Rows(), sensitive={"side": np.arange(80) % 2}, runs=tmp_path)
    assert {m.by for m in by_frame.measures if m.by} == {("side",)}


class NoTest(Rows):
    test_dataloader = pl.LightningDataModule.test_dataloader


class Strings(Rows):
    def test_dataloader(self):
        return DataLoader([{"text": "a", "label": 1}] * 8)


class Ends(Rows):
    def test_dataloader(self):
        def rows():
            yield torch.zeros(4), torch.tensor(0)
            raise OSError("the server is gone")

        class Stream(torch.utils.data.IterableDataset):
            def __iter__(self):
                return rows()

        return DataLoader(Stream(), batch_size=1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"data": NoTest()}, "no test data"),
        ({"data": Strings()}, "a batch is \\(inputs, target\\)"),
        ({"data": Ends()}, "the server is gone, after 1 batches"),
        ({"data": {"train": [], "tests": []}}, "DataLoaders by name"),
        ({"data": None}, "DataLoaders by name"),
        ({"model": nn.Linear(4, 2)}, "LightningModule"),
        ({"sensitive": {"side": [1, 2]}}, "another number of rows"),
        ({"more": {"dataset": {"use": "diabetes"}}}, "names no data set"),
        ({"more": {"model": "mlp"}}, "names none"),
        ({"more": {"trainer": {"learning_rate": 0.1}}}, "decide `learning_rate`"),
        ({"more": {"dataset": {"classes": ["only one"]}}}, "numbers from 0"),
        ({"more": {"trainer": {"devices": 2}}}, "in this process alone"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_screen_without_a_folder(given, said, tmp_path):
    taken = {"model": net(), "data": Rows(), "sensitive": None} | {k: v for k, v in given.items() if k != "more"}
    with pytest.raises(GlassbenchError, match=said) as refused:
        glassbench.run(experiment(**given.get("more", {})), runs=tmp_path, **taken)
    assert len(str(refused.value).splitlines()) <= 6
    assert not list(tmp_path.glob("2*"))
