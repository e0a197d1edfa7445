"""The data set of any registered Gymnasium environment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from glassbench.contracts.data import Data
from glassbench.contracts.facts import ObservationFacts
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import SettingsError
from glassbench_plugins.rl import lending, maze
from glassbench_plugins.rl.episodes import Environment, Vectorization, opened
from glassbench_plugins.rl.layout import Layout, layout_of

Count = Annotated[int, Field(ge=1)]

lending.register()
maze.register()


def environment(
    seed: int,
    *,
    id: str,
    settings: dict[str, Any] | None = None,
    max_episode_steps: Count | None = None,
    lanes: Count = 8,
    vectorization: Vectorization = "lanes",
    contexts: dict[str, list[Any]] | None = None,
    sensitive: tuple[str, ...] = (),
    normalize_observations: bool = True,
    scale_rewards: bool = False,
    evaluation_episodes: Count = 100,
    validation_episodes: Count = 20,
    evaluation_seed: int | None = None,
) -> Data:
    """Play any registered Gymnasium environment; a policy is judged on episodes whose seeds it was not trained on.

    Args:
        seed: The experiment's seed.
        id: The registered id, such as CartPole-v1 or glassbench/Lending-v0.
        settings: Keyword arguments of the environment.
        max_episode_steps: Steps after which an episode is cut off; by default the registered limit.
        lanes: Environments played beside each other while training.
        vectorization: How lanes are played while training: `lanes` plays environments of their own; `vector` the vector
            environment that an environment brings itself, such as that of CartPole-v1. Judging always plays single ones.
        contexts: Settings or attributes of the environment that vary between episodes, each with its values; every
            combination is played in turn, and each is a sensitive feature.
        sensitive: Entries of `info` that say something about whom or what an observation is about, such as the group of
            an applicant.
        normalize_observations: Whether the policy sees observations in standard deviations from their mean while
            training; mean and deviation travel with the model. Pictures are divided by 255 instead, and grids stay as they are.
        scale_rewards: Whether learning divides rewards by the standard deviation of the discounted return; everything
            reported stays in the environment's own rewards.
        evaluation_episodes: Episodes the policy is judged by.
        validation_episodes: Episodes that decide, while training, which weights are kept.
        evaluation_seed: Seed of the episodes the policy is judged by; by default the experiment's.

    Raises:
        DataError: There is no such environment, a package is missing, or actions are of a kind that cannot be learnt.
        SettingsError: The environment does not take a setting or context.
    """
    kept, varied = dict(settings or {}), {name: tuple(values) for name, values in (contexts or {}).items()}
    _check(varied, sensitive)
    first = {name: values[0] for name, values in varied.items()}
    probe = opened(id, kept, first, max_episode_steps=max_episode_steps)
    layout = layout_of(probe)
    check_reported(probe.reset(seed=0)[1], sensitive, id)
    probe.close()
    train = Environment(
        id=id,
        settings=kept,
        max_episode_steps=max_episode_steps,
        contexts=varied,
        reported=sensitive,
        purpose="train",
        seed=seed,
        episodes=evaluation_episodes,
        lanes=lanes,
        vectorization=vectorization,
        scale_rewards=scale_rewards,
        layout=layout,
    )
    if vectorization == "vector":
        _check_vector(train)
    judged = replace(train, purpose="test", seed=seed if evaluation_seed is None else evaluation_seed)
    return Data(
        schema=schema_of(layout, tuple(varied), sensitive, normalize=normalize_observations),
        train=train,
        validation=replace(train, purpose="validation", episodes=validation_episodes),
        test=judged,
        split=f"learnt by playing, judged on {evaluation_episodes} other episodes, played after training",
        notes=_notes(evaluation_episodes, validation_episodes, varied),
        source=f"the Gymnasium environment {id}" + (f" with {kept}" if kept else ""),
    )


def schema_of(layout: Layout, varied: tuple[str, ...], reported: tuple[str, ...], *, normalize: bool) -> Schema:
    """Return what the steps of episodes are.

    Args:
        layout: What goes in and out of the environment.
        varied: What varies between episodes.
        reported: Entries of `info` to audit by.
        normalize: Whether a policy sees observations in standard deviations from their mean.
    """
    target = Target(name="action", kind="none", classes=layout.actions, positive=layout.names.positive)
    facts = ObservationFacts(
        outputs=layout.width,
        continuous=layout.continuous,
        pixels=layout.pixels,
        normalize=normalize and not layout.pixels and layout.names.grid is None,
        grid=layout.names.grid,
    )
    return Schema(
        modality="observation",
        shape=layout.shape,
        target=target,
        features=layout.features,
        sensitive=(*varied, *reported),
        conditions=varied,
        unit="step",
        facts=facts,
    )


def _check(contexts: Mapping[str, tuple[Any, ...]], sensitive: tuple[str, ...]) -> None:
    empty = [name for name, values in contexts.items() if not values]
    if empty:
        raise SettingsError("a context needs values", where=f"dataset.contexts.{empty[0]}", fix="give at least one")
    twice = sorted(set(contexts) & set(sensitive))
    if twice:
        raise SettingsError(f"'{twice[0]}' is both a context and an entry of info", where="dataset.sensitive")


def _check_vector(train: Environment) -> None:
    if train.contexts:
        raise SettingsError(
            "a vector environment plays all lanes in one context",
            where="dataset.vectorization",
            got=f"vector, with the contexts {', '.join(train.contexts)}",
            available=["lanes"],
            fix="set dataset.vectorization to lanes, or leave out dataset.contexts",
        )
    train.beside().close()


def check_reported(info: Mapping[str, Any], sensitive: tuple[str, ...], name: str) -> None:
    """Refuse sensitive features that an environment does not report.

    Raises:
        SettingsError: An entry is not in `info`.
    """
    strange = [entry for entry in sensitive if entry not in info]
    if strange:
        raise SettingsError(
            f"'{name}' reports no '{strange[0]}' in its info", where="dataset.sensitive", got=strange[0], available=sorted(info)
        )


def _notes(evaluation: int, validation: int, contexts: Mapping[str, tuple[Any, ...]]) -> tuple[str, ...]:
    notes = [
        f"Training, choosing the weights ({validation} episodes) and judging the policy ({evaluation} episodes) use seeds "
        "of their own."
    ]
    if contexts:
        notes.append(f"Episodes take turns through all values of {', '.join(contexts)}.")
    return tuple(notes)
