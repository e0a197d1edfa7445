"""What goes wrong in an environment is said in words, ends with exit code 2, and loses nothing."""

import json
import os
import sys

import gymnasium
import numpy as np
import pandas as pd
import pytest
from gymnasium import spaces

from glassbench import GlassbenchError, load_run, run
from glassbench.cli.app import invoke
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.vector_env import VectorEnv


class Frail(gymnasium.Env):
    """A walk along a line that can go wrong at a step of our choice."""

    metadata = {"render_modes": []}  # noqa: RUF012  # Gymnasium reads it so
    observation_space = spaces.Box(-1.0, 1.0, (2,), dtype=np.float32)
    action_space = spaces.Discrete(2)
    broken: str | None = None
    left, time = 0, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.time = float(self.np_random.uniform(-0.1, 0.1)), 0
        return self._seen(), {}

    def step(self, action):
        self.place, self.time = self.place + (0.1 if action else -0.1), self.time + 1
        Frail.left -= 1
        wrong = self.broken if Frail.left < 0 else None
        if wrong == "raises":
            raise ZeroDivisionError("the floor gave way")
        reward = float("nan") if wrong == "nan reward" else self.place
        seen = np.full(2, np.inf, dtype=np.float32) if wrong == "infinite observation" else self._seen()
        return seen, reward, abs(self.place) > 1, self.time >= 25, {}

    def _seen(self):
        return np.array([self.place, self.time / 25], dtype=np.float32)


@pytest.fixture
def frail():
    gymnasium.register(id="test/Frail-v0", entry_point=Frail)
    Frail.broken, Frail.left = None, 0
    yield Frail
    Frail.broken = None
    del gymnasium.registry["test/Frail-v0"]


def experiment(task: str, **dataset: object) -> dict[str, object]:
    model = {"ppo": "actor-critic", "dqn": "q-network"}[task]
    episodes = {"lanes": 2, "evaluation_episodes": 10, "validation_episodes": 2}
    return {
        "name": "frail",
        "dataset": {"use": "environment", "id": "test/Frail-v0", **episodes, **dataset},
        "task": {"use": task, "steps": 1200, "rollout": 20},
        "model": {"use": model, "hidden": [8]},
        "trainer": {"use": "lightning", "threads": 1, "checkpoint_every": 0.0},
        "audits": ["performance"],
        "gates": [],
        "seed": 1,
    }


SAID = {"raises": "the floor gave way", "nan reward": "a reward", "infinite observation": "an observation"}


@pytest.mark.parametrize(("task", "broken"), [("ppo", "raises"), ("dqn", "nan reward")])
def test_a_run_goes_on_once_the_environment_is_mended(frail, tmp_path, task, broken):
    whole = run(experiment(task), runs=tmp_path / "whole")
    frail.broken, frail.left = broken, 700
    with pytest.raises(GlassbenchError, match=SAID[broken]) as caught:
        run(experiment(task), runs=tmp_path / "frail")
    assert "seed" in str(caught.value)
    assert "resume" in str(caught.value)
    frail.broken = None
    (folder,) = (tmp_path / "frail").glob("2*")
    assert (folder / "checkpoints" / "last.safetensors").is_file()
    assert load_run(folder).resume().measures == whole.measures


@pytest.mark.parametrize("broken", sorted(SAID))
def test_a_lane_says_what_went_wrong_and_where(frail, broken):
    lanes = VectorEnv(environment(1, id="test/Frail-v0", lanes=1, contexts={"time": [0]}).train)
    frail.broken, frail.left = broken, 3
    for _ in range(3):
        lanes.step(np.array([1]))
    with pytest.raises(GlassbenchError, match=SAID[broken]) as caught:
        lanes.step(np.array([1]))
    assert f"train episode with seed {lanes.lanes[0].seed}, time 0, step 4" in str(caught.value)


def test_the_command_ends_with_code_2(frail, tmp_path, capsys):
    frail.broken, frail.left = "raises", 100
    file = tmp_path / "frail.yaml"
    file.write_text(json.dumps(experiment("ppo")))  # JSON is YAML
    code = invoke(["run", str(file), "--runs", str(tmp_path / "runs")])
    said = capsys.readouterr().err
    assert code == 2
    assert "ZeroDivisionError: the floor gave way" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        ({"id": "CartPol-v1"}, "CartPole-v1"),
        ({"id": "CartPol-v1", "contexts": {"gravity": [9]}}, "CartPole-v1"),
        ({"id": "module:CartPole-v1"}, "cannot import a module"),
        ({"id": "CartPole-v1", "settings": {"gravty": 9}}, "takes no 'gravty'"),
        ({"id": "CartPole-v1", "contexts": {"gravty": [9]}}, "no attribute 'gravty'"),
        ({"id": "CartPole-v1", "contexts": {"gravity": []}}, "needs values"),
        ({"id": "CartPole-v1", "sensitive": ["age"]}, "reports no 'age'"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_learnt(tmp_path, dataset, said):
    with pytest.raises(GlassbenchError, match=said):
        run(experiment("ppo", **dataset), runs=tmp_path)


def test_a_task_of_choices_refuses_continuous_actions(tmp_path):
    with pytest.raises(GlassbenchError, match="use the task 'ppo'"):
        run(experiment("dqn", id="Pendulum-v1"), runs=tmp_path)


class Dark(Frail):
    """The walk on a machine whose screen is missing."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012  # Gymnasium reads it so

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def render(self):
        raise OSError("no screen\nat all")


def test_what_cannot_be_drawn_is_said_and_costs_no_audit(frail, tmp_path):
    gymnasium.registry["test/Frail-v0"].entry_point = Dark
    done = run(experiment("ppo"), runs=tmp_path)
    assert done.audits[0].method.cautions[-1] == "No episode is shown: 'test/Frail-v0' cannot be drawn (OSError: no screen)."
    test = environment(1, id="test/Frail-v0").test
    with pytest.raises(GlassbenchError, match="cannot be drawn") as caught:
        test.render(pd.DataFrame({"seed": [1, 1], "y_pred": ["action 0", "action 1"]}), 2)
    assert "got:        OSError: no screen\n" in str(caught.value)


class Watched(Dark):
    """The walk that notes how it is told to draw."""

    def render(self):
        told.append(os.environ.get("SDL_VIDEODRIVER"))
        return np.zeros((2, 2, 3), np.uint8)


told: list[str | None] = []


def test_drawing_without_a_screen_leaves_the_process_as_it_was(frail, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    gymnasium.registry["test/Frail-v0"].entry_point = Watched
    told.clear()
    rows = pd.DataFrame({"seed": [1, 1], "y_pred": ["action 0", "action 1"]})
    assert len(environment(1, id="test/Frail-v0").test.render(rows, 2)) == 2
    assert told == ["dummy", "dummy"]
    assert "SDL_VIDEODRIVER" not in os.environ
