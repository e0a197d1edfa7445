"""Games of Atari and bodies of MuJoCo: played where their packages are installed, and named where they are not."""

import sys

import gymnasium
import numpy as np
import pytest
import torch

from glassbench import GlassbenchError, run
from glassbench.contracts.packed import Packed
from glassbench.runs.artifacts import load_predictions
from glassbench_plugins.rl import registered
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.native_vector_env import NativeVectorEnv
from glassbench_plugins.rl.normalized import Normalized
from glassbench_plugins.rl.vector_env import VectorEnv

ACTORS = {"ppo": "actor-critic", "dqn": "q-network"}


def experiment(name: str, task: str = "ppo", **dataset: object) -> dict[str, object]:
    updates = {"passes": 1} if task == "ppo" else {"updates": 2, "memory": 200, "warm_up": 32}
    return {
        "name": "extras",
        "dataset": {"use": "environment", "id": name, "lanes": 2, "evaluation_episodes": 3, "validation_episodes": 1, **dataset},
        "task": {"use": task, "steps": 64, "rollout": 16, **updates},
        "model": {"use": ACTORS[task], "hidden": [8]},
        "trainer": {"use": "lightning", "threads": 1, "batch_size": 16},
        "audits": {"performance": {}, "explain": {"rows": 4, "cases": 1, "steps": 4}},
        "gates": [],
        "seed": 1,
    }


@pytest.mark.parametrize(
    ("package", "dataset", "extra"),
    [
        ("ale_py", {"id": "ALE/Pong-v5"}, "atari"),
        ("cv2", {"id": "ALE/Pong-v5"}, "atari"),
        ("mujoco", {"id": "Hopper-v5"}, "mujoco"),
        ("mujoco", {"id": "Hopper-v5", "contexts": {"ctrl_cost_weight": [0.1, 0.2]}}, "mujoco"),
        ("mujoco", {"id": "Hopper-v5", "vectorization": "vector"}, "mujoco"),
    ],
)
def test_an_environment_without_its_package_names_the_extra(monkeypatch, package, dataset, extra):
    if package == "cv2":
        pytest.importorskip("ale_py")
    for module in [name for name in sys.modules if name.startswith("gymnasium.envs.mujoco")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(GlassbenchError) as caught:
        environment(1, **dataset)
    said = str(caught.value)
    assert f"'{dataset['id']}' needs a package that is not installed" in said
    assert f"pip install 'glassbench[{extra}]'" in said
    assert len(said.splitlines()) < 8


def test_a_module_is_imported_for_the_games_of_atari_alone(monkeypatch):
    imported = []
    monkeypatch.setattr(registered.importlib, "import_module", imported.append)
    for name in ("os/Pong-v5", "ale_py/Pong-v5", "ALE:ALE/Pong-v5"):
        with pytest.raises(GlassbenchError):
            registered.known(name)
    assert imported == []


class Painted(gymnasium.Env):
    """A picture in colour of which one corner tells what to do."""

    metadata = {"render_modes": []}  # noqa: RUF012  # Gymnasium reads it so
    observation_space = gymnasium.spaces.Box(0, 255, (40, 48, 3), dtype=np.uint8)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time = 0
        return self._seen(), {}

    def step(self, action):
        paid = float(action == self.bright)
        self.time += 1
        return self._seen(), paid, False, self.time >= 10, {}

    def _seen(self):
        self.bright = int(self.np_random.integers(2))
        picture = self.np_random.integers(0, 60, (40, 48, 3), dtype=np.uint8)
        picture[:5, :6] = 250 * self.bright
        return picture


@pytest.fixture
def painted():
    gymnasium.register(id="test/Painted-v0", entry_point=Painted)
    yield "test/Painted-v0"
    del gymnasium.registry["test/Painted-v0"]


@pytest.mark.slow
def test_what_a_policy_saw_is_kept_packed_and_explained_patch_by_patch(painted, tmp_path):
    settings = experiment(painted, lanes=4)
    settings["task"] = {"use": "ppo", "steps": 4096, "rollout": 64, "passes": 4, "stop_at": 10}
    settings["trainer"] = {"use": "lightning", "threads": 1, "batch_size": 64, "learning_rate": 1e-3}
    settings["audits"] = {"explain": {"rows": 30, "cases": 1, "steps": 20}}
    done = run(settings, runs=tmp_path)
    source = load_predictions(done.folder, None).source
    assert isinstance(source.inputs, Packed)
    assert source.batch(slice(0, 2)).inputs[0].shape == (2, 3, 40, 48)
    audit = done.audits[0]
    first, *_ = audit.tables[0].rows
    assert first[0] == "rows 1 to 5, columns 1 to 6"
    assert first[4] > 0.5
    assert len(audit.tables[0].rows) == 64
    assert [picture.title for picture in audit.cases[0].pictures] == ["What the policy saw", "What moved the action"]


@pytest.mark.slow
def test_pictures_are_learnt_from_by_values_too(painted, tmp_path):
    done = run(experiment(painted, "dqn"), runs=tmp_path)
    assert next(m.value for m in done.measures if m.name == "performance.episode_length") == 10


@pytest.fixture
def mujoco(tmp_path, monkeypatch):
    """MuJoCo, which leaves its warnings in a file where it runs."""
    pytest.importorskip("mujoco")
    pytest.importorskip("imageio")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "feature", "actions"),
    [
        ("Hopper-v5", ("angle of rooty", "angular velocity of foot_joint"), ("torque at thigh_joint down",)),
        ("InvertedPendulum-v5", ("position of slider", "angular velocity of hinge"), ("force at slider down",)),
        ("Ant-v5", ("z of root", "cfrc_ext 77"), ("torque at hip_4 down",)),
    ],
)
def test_a_body_names_its_joints(mujoco, name, feature, actions):
    schema = environment(1, id=name).schema
    names = [one.name for one in schema.features]
    assert len(names) == schema.shape[0]
    assert set(feature) <= set(names)
    assert names[-1] == feature[-1]
    assert set(actions) <= set(schema.target.classes)


def test_joints_are_named_in_the_order_they_are_observed(mujoco):
    data = environment(1, id="HalfCheetah-v5")
    names = [feature.name for feature in data.schema.features]
    world = data.train.make(3)
    world.step(world.action_space.sample())
    body = world.unwrapped
    seen = body._get_obs()
    for joint in ("bthigh", "ffoot"):
        assert seen[names.index(f"angle of {joint}")] == body.data.joint(joint).qpos[0]
        assert seen[names.index(f"angular velocity of {joint}")] == body.data.joint(joint).qvel[0]


def test_a_body_of_mujoco_runs_to_its_report(mujoco, tmp_path):
    done = run(experiment("InvertedPendulum-v5"), runs=tmp_path)
    assert {audit.not_applicable for audit in done.audits} == {None}
    assert (done.folder / "report.html").is_file()


@pytest.mark.parametrize(("task", "vectorization"), [("ppo", "lanes"), ("dqn", "vector")])
def test_a_game_of_atari_runs_to_its_report(tmp_path, task, vectorization):
    pytest.importorskip("ale_py")
    pytest.importorskip("cv2")
    settings = experiment("ALE/Pong-v5", task, vectorization=vectorization, max_episode_steps=40)
    done = run(settings, runs=tmp_path)
    assert {audit.not_applicable for audit in done.audits} == {None}
    assert len(done.audits[1].tables[0].rows) == 64
    assert (done.folder / "report.html").stat().st_size < 2_000_000


def test_lanes_of_a_game_of_atari_are_cut_off_and_taken_up_where_they_were():
    pytest.importorskip("ale_py")
    pytest.importorskip("cv2")
    data = environment(1, id="ALE/Pong-v5", vectorization="vector", max_episode_steps=30, lanes=2)
    assert data.schema.target.classes == ("no move", "fire", "right", "left", "right fire", "left fire")
    lanes, again = NativeVectorEnv(data.train), NativeVectorEnv(data.train)
    actions = np.random.default_rng(1).integers(6, size=(60, 2))
    steps = [lanes.step(each) for each in actions[:40]]
    assert [bool(step.truncated.all()) for step in steps] == [t == 29 for t in range(40)]
    again.load_state_dict(lanes.state_dict())
    for each in actions[40:]:
        assert np.array_equal(lanes.step(each).reached, again.step(each).reached)


def test_a_network_sees_bytes_as_shares_of_white(painted):
    data = environment(1, id=painted)
    model = Normalized(torch.nn.Identity(), data.schema, paid=0)
    picture = np.full((1, 3, 40, 48), 51, dtype=np.uint8)
    assert model.standardized(picture) == pytest.approx(0.2)
    assert model(torch.as_tensor(picture)).numpy() == pytest.approx(0.2)


@pytest.mark.parametrize(("name", "package"), [("ALE/Pong-v5", "ale_py"), ("Hopper-v5", "mujoco")])
def test_lanes_are_taken_up_where_they_were_some_episodes_later(name, package, tmp_path, monkeypatch):
    pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    data = environment(1, id=name, max_episode_steps=40, lanes=2)
    lanes, again = VectorEnv(data.train), VectorEnv(data.train)
    random = np.random.default_rng(1)
    layout = data.train.layout
    actions = random.normal(size=(120, 2, layout.width)) if layout.continuous else random.integers(layout.width, size=(120, 2))
    for each in actions[:100]:
        lanes.step(each)
    again.load_state_dict(lanes.state_dict())
    for each in actions[100:]:
        assert np.array_equal(lanes.step(each).reached, again.step(each).reached)
