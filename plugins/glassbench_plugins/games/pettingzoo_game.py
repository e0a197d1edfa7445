"""Board games of PettingZoo by their names."""

from glassbench_plugins.games.game import Game

PREFIX = "pettingzoo/"


def pettingzoo_game(name: str) -> Game:
    raise NotImplementedError
