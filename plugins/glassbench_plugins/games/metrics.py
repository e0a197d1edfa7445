"""Weighted metrics of games; rows are moves."""

from glassbench.contracts.metric import Metric
from glassbench_plugins.rl.returns import explained_variance, mean_length, mean_of, mean_return


def game_metrics() -> tuple[Metric, ...]:
    """Return the metrics of a policy of a game, its mean result first; the share of optimal moves where these are known."""
    return (
        Metric(name="return", compute=mean_return, unit="reward", compares=False, judged=True, lowest=-1.0, highest=1.0),
        Metric(name="win_rate", compute=mean_of("won", once=True), rate=True, compares=False),
        Metric(name="draw_rate", compute=mean_of("drawn", once=True), rate=True, compares=False),
        Metric(name="failure_rate", compute=mean_of("failed", once=True), higher_is_better=False, rate=True, compares=False),
        Metric(name="optimal_move_rate", compute=mean_of("optimal"), rate=True, compares=False),
        Metric(name="episode_length", compute=mean_length, unit="moves", compares=False, lowest=0.0),
        Metric(name="explained_variance", compute=explained_variance, compares=False, highest=1.0),
    )
