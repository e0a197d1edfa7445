"""What cannot be trained is refused with a reason a person can act on."""

import signal
from pathlib import Path

import pytest
import torch
from pytorch_lightning import Callback
from pytorch_lightning.trainer.connectors import callback_connector
from sklearn.tree import DecisionTreeClassifier
from tiny_training import TinyTask, tiny_data, tiny_net, tiny_split
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data
from glassbench.contracts.trainer import Fitted, Workspace
from glassbench.errors import DataError, FitError, RunError
from glassbench_plugins.training.estimator import EstimatorTrainer
from glassbench_plugins.training.lightning import LightningTrainer


def fit(folder: Path, model: object = None, task: TinyTask | None = None, data: Data | None = None, **settings: object) -> Fitted:
    workspace = Workspace(seed=3, folder=folder, record=lambda line: None)
    trainer = LightningTrainer(**{"max_epochs": 3, "batch_size": 32, "accelerator": "cpu"} | settings)
    return trainer.fit(model or tiny_net(), task or TinyTask(), data or tiny_data(), workspace)


class Exploding(TinyTask):
    def __init__(self, at: int) -> None:
        self.at = at

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        loss = super().loss(output, batch)
        if not output.requires_grad:
            return loss if self.at > 0 else loss * torch.nan
        self.at -= 1
        return loss * torch.nan if self.at == -1 else loss


def test_a_loss_that_is_no_number_is_placed_and_explained(tmp_path: Path) -> None:
    with pytest.raises(FitError, match="no longer a finite number") as error:
        fit(tmp_path, task=Exploding(13))
    assert error.value.got == "nan in epoch 1, step 13"
    assert "learning_rate" in str(error.value.fix)


def test_the_step_is_right_when_gradients_are_accumulated(tmp_path: Path) -> None:
    with pytest.raises(FitError) as error:
        fit(tmp_path, task=Exploding(13), accumulate=4)
    assert error.value.got == "nan in epoch 1, step 3"


def test_a_validation_loss_that_is_no_number(tmp_path: Path) -> None:
    class BadValidation(TinyTask):
        def loss(self, output: Tensor, batch: Batch) -> Tensor:
            return super().loss(output, batch) if output.requires_grad else torch.tensor(torch.inf)

    with pytest.raises(FitError, match="the validation loss is not a finite number") as error:
        fit(tmp_path, task=BadValidation())
    assert error.value.got == "inf after epoch 0, step 10"


def test_an_estimator_is_sent_to_its_own_trainer(tmp_path: Path) -> None:
    with pytest.raises(FitError, match="trains networks") as error:
        fit(tmp_path, DecisionTreeClassifier())
    assert "estimator" in str(error.value.fix)


def test_a_network_is_sent_to_its_own_trainer(tmp_path: Path) -> None:
    with pytest.raises(FitError, match="fits scikit-learn estimators") as error:
        EstimatorTrainer().fit(tiny_net(), TinyTask(), tiny_data(), Workspace(seed=0, folder=tmp_path, record=print))
    assert "lightning" in str(error.value.fix)


def test_the_other_lightning_package_is_named(tmp_path: Path) -> None:
    other = type("LightningModule", (nn.Module,), {"__module__": "lightning.pytorch.core.module"})
    with pytest.raises(FitError, match="made for the package 'lightning'") as error:
        fit(tmp_path, type("Mine", (other,), {})())
    assert error.value.got == "Mine, which derives from lightning.pytorch.core.module.LightningModule"


def test_no_rows(tmp_path: Path) -> None:
    data = tiny_data()
    empty = Data(schema=data.schema, train=tiny_split(0, 0), test=data.test)
    with pytest.raises(DataError, match="no rows to train on"):
        fit(tmp_path, data=empty)
    with pytest.raises(DataError, match="no rows to train on"):
        EstimatorTrainer().fit(DecisionTreeClassifier(), TinyTask(), empty, Workspace(seed=0, folder=tmp_path, record=print))


def test_nothing_to_train(tmp_path: Path) -> None:
    with pytest.raises(FitError, match="no trainable parameters"):
        fit(tmp_path, nn.Flatten())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FitError, match="cannot train with these settings"):
        fit(tmp_path, accelerator="cuda")


def test_an_operation_without_a_deterministic_form(tmp_path: Path) -> None:
    class Scatters(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            output = super().forward(x)
            return output.put(torch.zeros(1, dtype=torch.long), output[0, :1])

    with pytest.raises(FitError, match="no deterministic form") as error:
        fit(tmp_path, Scatters(4, 2))
    assert "trainer.deterministic" in str(error.value.fix)
    fit(tmp_path, Scatters(4, 2), deterministic=False)


def test_state_of_another_model(tmp_path: Path) -> None:
    fit(tmp_path)
    with pytest.raises(RunError, match="of another model"):
        fit(tmp_path, nn.Linear(4, 2))


def test_state_of_another_model_in_the_middle_of_training(tmp_path: Path) -> None:
    fit(tmp_path, checkpoint_every=0.0)
    (tmp_path / "fitted.safetensors").unlink()
    with pytest.raises(RunError, match="of another model"):
        fit(tmp_path, nn.Linear(4, 2))


@pytest.mark.parametrize("name", ["fitted.safetensors", "last.safetensors"])
def test_damaged_state(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not a checkpoint")
    with pytest.raises(RunError, match="cannot be read") as error:
        fit(tmp_path)
    assert error.value.where == name


def test_callbacks_of_other_packages_are_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stranger(Callback):
        pass

    monkeypatch.setattr(callback_connector, "_load_external_callbacks", lambda group: [Stranger()])
    assert any(path.endswith("Stranger") for path in fit(tmp_path).callbacks)


def test_an_interruption_ends_it_and_leaves_the_keyboard_as_it_was(tmp_path: Path) -> None:
    class Interrupted(TinyTask):
        def loss(self, output: Tensor, batch: Batch) -> Tensor:
            raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, task=Interrupted())
    assert signal.getsignal(signal.SIGINT) is before
