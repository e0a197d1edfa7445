"""The action a policy takes at each step of its episodes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.choices import Choices, in_order
from glassbench.contracts.predictions.classes import class_output, shown_classes
from glassbench.contracts.predictions.named_classes import named_classes
from glassbench.contracts.predictions.outputs import BaselinePredictions, ClassOutput, EpisodeOutput, NotableRows
from glassbench.contracts.schema import Schema

AT_RANDOM = "at_random."
"""Prefix of the columns that say what the same episodes bring when every action is drawn at random."""

_HELD_AGAINST = ("return", "return_interquartile_mean", "failure_rate")
"""Metrics that random play has a number for."""


class Actions(Choices):
    """An action per step. Nobody says which one is right; an episode is judged by what it brings."""

    name = "actions"

    def decided_words(self, schema: Schema) -> str:
        """Return the actions among which each step chooses."""
        named = f": {named_classes(schema.target.classes)}" if schema.target.classes else ""
        return f"chooses the {schema.target.name} at each {schema.unit}{named}"

    def class_outputs(self, frame: pd.DataFrame, schema: Schema) -> tuple[ClassOutput, ...]:
        """Return the one choice among the actions."""
        return (class_output(frame, schema, schema.target.classes or shown_classes(frame)),)

    def episode_output(self, frame: pd.DataFrame, schema: Schema) -> EpisodeOutput | None:
        """Return which episode each step is of and what it brought, where predictions say so."""
        if "episode" not in frame:
            return None
        reward = frame["reward"].to_numpy(dtype=float) if "reward" in frame else None
        return EpisodeOutput(episode=frame["episode"].to_numpy(), reward=reward)

    def baseline(self, frame: pd.DataFrame, schema: Schema, learnt: np.ndarray | None) -> BaselinePredictions | None:
        """Return the same episodes played at random, where predictions say what that brings."""
        drawn = [str(name) for name in frame.columns if str(name).startswith(AT_RANDOM)]
        if not drawn:
            return None
        played = frame.assign(**{name.removeprefix(AT_RANDOM): frame[name] for name in drawn})
        words = "choosing every action at random"
        return BaselinePredictions(frame=played, words=words, learnt=False, metrics=_HELD_AGAINST)

    def remedy(self, schema: Schema) -> str:
        """Return that rewards say what is wanted."""
        return "make the gap cost reward, or let more training episodes hold the group that fares worse"

    def group_metrics(self, metrics: Sequence[Metric], frame: pd.DataFrame, schema: Schema) -> tuple[Metric, ...]:
        """Return what actions bring."""
        return tuple(metric for metric in metrics if not metric.compares)

    def spread(self, frame: pd.DataFrame, schema: Schema) -> float:
        """Return the standard deviation of the returns of episodes."""
        if not {"episode", "reward"} <= set(frame.columns):
            return 1.0
        return float(frame.groupby("episode")["reward"].sum().std(ddof=0)) or 1.0

    def notable_rows(self, frame: pd.DataFrame, schema: Schema) -> tuple[NotableRows, ...]:
        """Return where most and least is at stake between the actions, and how the worst episode ended."""
        if "spread" not in frame:
            return super().notable_rows(frame, schema)
        spread = frame["spread"].to_numpy(dtype=float)
        found = [
            NotableRows(title="the step where most was at stake", rows=in_order(-spread)[:1]),
            NotableRows(title="a step where next to nothing was at stake", rows=in_order(spread)[:1]),
        ]
        episodes = self.episode_output(frame, schema)
        if episodes is not None and (returns := episodes.returns) is not None:
            last = np.flatnonzero(returns == returns.min())[-1:]
            found.append(NotableRows(title="the last step of the worst episode", rows=last))
        return tuple(found)

    def attribution_words(self, schema: Schema) -> str:
        """Return that preferences are explained."""
        return "the preference for the action taken"
