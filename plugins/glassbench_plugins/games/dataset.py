"""The data set of a two-player game."""

from glassbench.contracts.data import Data
from glassbench.contracts.facts import ObservationFacts
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count
from glassbench_plugins.games.game import Game
from glassbench_plugins.games.matches import Matches
from glassbench_plugins.games.named import named_game
from glassbench_plugins.games.opponents import opponent


def game(
    seed: int,
    *,
    id: str,
    opponents: tuple[str, ...] = ("random", "search-2"),
    lanes: Count = 64,
    evaluation_games: Count = 100,
    validation_games: Count = 20,
    evaluation_seed: int | None = None,
) -> Data:
    """Play a two-player game; a policy learns against itself and is judged against opponents.

    Args:
        seed: The experiment's seed.
        id: `tic-tac-toe`, `connect-four`, or a board game of PettingZoo by its name (`pettingzoo/classic/connect_four-v3`).
        opponents: What the policy is judged against, each equally often, the policy moving first in every other game: `random`;
            `search-N`, which looks N moves ahead and draws among equals; `optimal`, where the game is small enough.
        lanes: Games played beside each other while learning.
        evaluation_games: Games the policy is judged by.
        validation_games: Games that decide, while learning, which weights are kept.
        evaluation_seed: Seed of the games the policy is judged by; by default the experiment's.

    Raises:
        DataError: There is no such game, or a package is missing.
        SettingsError: There is no such opponent.
    """
    rules = named_game(id)
    if not opponents:
        raise SettingsError("a policy is judged against somebody", where="dataset.opponents", fix="name one, such as random")
    for name in opponents:
        opponent(name, rules)

    def matches(purpose: str, games: int, own: int = seed) -> Matches:
        return Matches(game=rules, opponents=opponents, purpose=purpose, seed=own, games=games, lanes=lanes)

    return Data(
        schema=_schema(rules),
        train=matches("train", evaluation_games),
        validation=matches("validation", validation_games),
        test=matches("test", evaluation_games, seed if evaluation_seed is None else evaluation_seed),
        split=f"learnt by self-play, judged on {evaluation_games} games against {', '.join(opponents)}, played after training",
        notes=(
            f"Choosing the weights ({validation_games} games) and judging the policy ({evaluation_games} games) use seeds of "
            "their own. Opponents take turns, and so does who moves first.",
        ),
        source=f"the game {id}",
    )


def _schema(game: Game) -> Schema:
    each = len(game.contents)
    features = tuple(
        Feature(
            name=f"square {square}",
            kind="category",
            columns=tuple(range(i * each, (i + 1) * each)),
            categories=game.contents,
        )
        for i, square in enumerate(game.squares)
    )
    return Schema(
        modality="observation",
        shape=(len(game.squares) * each,),
        target=Target(name="move", kind="none", classes=game.actions),
        features=features,
        sensitive=("opponent", "side"),
        conditions=("opponent", "side"),
        unequal=("opponent", "side"),
        unit="move",
        facts=ObservationFacts(outputs=len(game.actions), grid=game.shape),
    )
