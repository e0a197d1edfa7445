"""Interactions from a person's own table, with tables of users and items beside it where there are some."""

from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import ConfigDict
from typing_extensions import NotRequired, TypedDict  # noqa: UP035 - pydantic needs this one before Python 3.12

from glassbench.contracts.data import Data
from glassbench.errors import DataError, SettingsError
from glassbench.stats.settings_types import Count, CountOrZero
from glassbench.toolkit.cells.cells import MARKS, Cells
from glassbench.toolkit.cells.columns import require_columns
from glassbench.toolkit.cells.groups import Band
from glassbench.toolkit.reading.tables import Format, read_table
from glassbench.toolkit.splits.split_by import SplitBy, division_of, one_file
from glassbench_plugins.recommendation.assembly import Histories, ranking_data, rating_data
from glassbench_plugins.recommendation.interactions import InteractionColumns, Interactions


class TableBeside(TypedDict):
    """A table with a row for each user, or for each item.

    Attributes:
        path: The file, relative to the current folder.
        separator: What stands between cells; what cuts the first lines alike unless given.
        columns: Names of the columns of a file without a header.
        encoding: Character encoding of a text file.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    path: str
    separator: NotRequired[str]
    columns: NotRequired[tuple[str, ...]]
    encoding: NotRequired[str]


def interactions(
    seed: int,
    *,
    path: str,
    user: str = "user",
    item: str = "item",
    rating: str | None = None,
    time: str | None = None,
    predict: Literal["ranking", "rating"] = "ranking",
    users: TableBeside | None = None,
    items: TableBeside | None = None,
    user_features: tuple[str | Band, ...] = (),
    item_features: tuple[str | Band, ...] = (),
    sensitive: tuple[str | Band, ...] = (),
    item_groups: tuple[str | Band, ...] = (),
    liked: float | None = None,
    split: SplitBy | None = None,
    held_out: Count = 3,
    prefixes: Count = 10,
    context: Count = 50,
    decimals: CountOrZero = 2,
    missing: tuple[str, ...] = MARKS,
    separator: str | None = None,
    columns: tuple[str, ...] = (),
    quotes: bool = True,
    encoding: str | None = None,
) -> Data:
    """Any CSV, TSV or Parquet file with a row for each interaction of a user with an item.

    Rankings are judged by the last items of each user; the items before those are for validation. Ratings are divided at random
    unless `split` says otherwise, and audits resample whole users. A user meets an item once: later meetings are left out.

    Args:
        seed: Seed of the split of ratings.
        path: The file, relative to the current folder; compressed too.
        user: The column that says who.
        item: The column that says what.
        rating: The column of ratings.
        time: The column of moments, numbers or dates; without one, rows stand in the order of time.
        predict: What is learnt: a `ranking` of what comes next, or the `rating` of each interaction.
        users: A table with a row for each user, which shares the column of users: its columns can be named as features.
        items: A table with a row for each item, likewise.
        user_features: What models may know of users: a column's name, or a number in bands, `{column: age, bins: [30, 50]}`.
        item_features: What models may know of items.
        sensitive: User features to audit by; models know them only where they are `user_features` too.
        item_groups: Item features by which the audit `exposure` compares.
        liked: Of rankings, the least rating of an interaction that counts; None counts all.
        split: How ratings are divided, as in the data set `table`: `{by: random, validation: 0.1, test: 0.2}` unless given; by
            `date`, `column`, `file` (`{by: file, test: u1.test}`) or `cluster`.
        held_out: Of rankings, the items at the end of each user's log that are for testing.
        prefixes: Of rankings, the moments of each user's log that are learnt from, the latest.
        context: Items of a history that a model sees, at most, the latest.
        decimals: Digits after the point with which ratings are shown.
        missing: Texts that mean a value is missing.
        separator: What stands between cells; what cuts the first lines alike unless given.
        columns: Names of the columns of a file without a header.
        quotes: Whether cells may stand in double quotes.
        encoding: Character encoding of a text file.
    """
    form = Format(separator=separator, columns=columns, encoding=encoding, quotes=quotes)

    def read(file: str, where: str) -> pd.DataFrame:
        return _joined(_joined(read_table(file, form, where), users, user, "users"), items, item, "items")

    meaning = InteractionColumns(
        user=user,
        item=item,
        rating=rating if predict == "rating" or liked is not None else None,
        time=time,
        user_features=user_features,
        item_features=item_features,
        sensitive=sensitive,
        item_groups=item_groups,
        missing=missing,
    )
    how = Histories(context=context, held_out=held_out, prefixes=prefixes)
    frame, name = read(path, "dataset.path"), Path(path).name
    if predict == "ranking":
        if split is not None:
            fix = "remove dataset.split; dataset.held_out says how many items are for testing"
            raise SettingsError("rankings are divided by time within each user", where="dataset.split", fix=fix)
        meaning.check(frame)
        return ranking_data(Interactions.read(_liked(frame, meaning, liked), meaning), how, source=name)
    if rating is None:
        fix = "set dataset.rating to the column of ratings, or dataset.predict to ranking"
        raise DataError("ratings need a column", where="dataset.rating", available=list(map(str, frame.columns)), fix=fix)
    frame, division = division_of(
        split,
        frame,
        seed=seed,
        cells=Cells(missing=missing),
        cluster=user,
        shares=(0.1, 0.2),
        read=lambda further, where: read(str(one_file(further, where)), where),
    )
    return rating_data(Interactions.read(frame, meaning), division, how, source=name, decimals=decimals)


def _liked(frame: pd.DataFrame, columns: InteractionColumns, least: float | None) -> pd.DataFrame:
    """Return the rows whose rating is high enough; all where nothing is asked for."""
    if least is None:
        return frame
    if columns.rating is None:
        raise DataError("`liked` needs ratings", where="dataset.liked", fix="set dataset.rating to the column of ratings")
    return frame[columns.cells.numbers(frame[columns.rating]) >= least]


def _joined(frame: pd.DataFrame, beside: TableBeside | None, key: str, setting: str) -> pd.DataFrame:
    """Return interactions with the columns of a table of users or items.

    Raises:
        DataError: The table lacks the column of users or items, names one twice, or shares another column.
    """
    if beside is None:
        return frame
    where = f"dataset.{setting}"
    form = Format(separator=beside.get("separator"), columns=tuple(beside.get("columns", ())), encoding=beside.get("encoding"))
    table = read_table(beside["path"], form, f"{where}.path")
    for present in (frame, table):
        require_columns(present.columns, [key], where)
    keys = table[key].astype(str)
    if keys.duplicated().any():
        raise DataError(f"the table of {setting} names one twice", got=str(keys[keys.duplicated()].iloc[0]), where=where)
    shared = sorted(({str(name) for name in frame} & {str(name) for name in table}) - {key})
    if shared:
        raise DataError(f"both tables have the column '{shared[0]}'", where=where, fix="rename it in one of them")
    found = table.set_index(keys).drop(columns=key).reindex(frame[key].astype(str))
    return pd.concat([frame, found.reset_index(drop=True)], axis=1)
