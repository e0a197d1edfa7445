"""From a log of interactions to a data set of ratings or of rankings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data, Split, Treatment
from glassbench.contracts.facts import CatalogueFacts, TextFacts
from glassbench.contracts.predictions.ranked_lists import encoded_items
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import DataError
from glassbench.toolkit.cells.codes import in_order
from glassbench.toolkit.cells.groups import GroupCode
from glassbench.toolkit.splits.splits import Division, Part, divide
from glassbench_plugins.recommendation.encoder import PADDING, UNKNOWN, Field, InteractionEncoder, fields_of
from glassbench_plugins.recommendation.interactions import CHOSEN, HISTORY, Interactions

_FEWEST = 20


@dataclass(frozen=True, kw_only=True)
class Histories:
    """How users become rows.

    Args:
        context: Items of a history that a model sees, at most.
        held_out: Items at the end of each user's log that rankings are judged by, and as many before them for validation.
        prefixes: Rows that are learnt from per user: so many of the latest moments at which what came next is known.
    """

    context: int = 50
    held_out: int = 3
    prefixes: int = 10


def rating_data(log: Interactions, division: Division, how: Histories, *, source: str = "", decimals: int | None = 2) -> Data:
    """Divide ratings and encode each with the other items that its user rated in the training part.

    Raises:
        DataError: There are no ratings, or too few.
    """
    columns = log.columns
    if columns.rating is None:
        raise DataError("ratings need a column", where="dataset.rating", fix="set dataset.rating, or dataset.predict=ranking")
    ratings = log.frame[columns.rating].reindex(range(log.rows))
    users = log.frame[columns.user].reindex(range(log.rows)) if division.together == columns.user else None
    parts = divide(ratings, division, users)
    train = np.flatnonzero(log.frame.index.isin(parts["train"]))
    raw = log.frame.assign(**{HISTORY: _others(log, train, how.context)})
    encoder = _encoder(log, log.frame.iloc[train], how.context, rated=True)
    splits = {part: _rated(encoder, raw.loc[rows], rows, columns.user) for part, rows in parts.items()}
    target = Target(name=columns.rating, kind="value", decimals=decimals)
    schema = _schema(log, encoder, train, target, unit="rating")
    return _data(log, splits, schema, encoder, division.how, division.treatments(parts), source)


def _rated(encoder: InteractionEncoder, raw: pd.DataFrame, rows: np.ndarray, user: str) -> Split:
    return replace(encoder.encode(raw), rows=rows, clusters=raw[user].to_numpy(dtype=object))


def ranking_data(log: Interactions, how: Histories, *, source: str = "") -> Data:
    """Make a row of each user: the history, and the items chosen last, which rankings are judged by.

    The items before those are for validation, and moments further back are learnt from.

    Raises:
        DataError: Too few users have a history that is long enough.
    """
    column, held = log.columns.user, how.held_out
    places = [np.asarray(rows) for rows in log.frame.groupby(column, sort=False).indices.values()]
    judged = [rows for rows in places if len(rows) >= 2 * held + 2]
    if len(judged) < _FEWEST:
        got = f"{len(judged)} users with {2 * held + 2} interactions or more"
        fix = "lower dataset.held_out, or bring longer histories"
        raise DataError(f"at least {_FEWEST} users must have a history to be judged by", got=got, where="dataset.path", fix=fix)
    learnt = [rows[: len(rows) - 2 * held] if len(rows) >= 2 * held + 2 else rows for rows in places]
    train = np.concatenate(learnt)
    moments: dict[Part, list[tuple[np.ndarray, int]]] = {
        "train": [(rows, at) for rows in learnt for at in range(max(1, len(rows) - how.prefixes), len(rows))],
        "validation": [(rows[:-held], len(rows) - 2 * held) for rows in judged],
        "test": [(rows, len(rows) - held) for rows in judged],
    }
    encoder = _encoder(log, log.frame.iloc[train], how.context, rated=False)
    names, splits = _names(log), {}
    for part, found in moments.items():
        raw = _users(log, found, names, held)
        splits[part] = replace(encoder.encode(raw), rows=_row_ids(log, part, found))
    schema = _schema(log, encoder, train, Target(name=CHOSEN, kind="ranking", classes=log.items), unit="sequence")
    words = f"by time within each user: the last {held} items for testing, the {held} before them for validation"
    short = len(places) - len(judged)
    said = [f"{short:,} users with fewer than {2 * held + 2} interactions are learnt from and not judged"] if short else []
    treatments = [Treatment(action="divided", sentence=sentence) for sentence in said]
    return _data(log, splits, schema, encoder, words, treatments, source)


def _row_ids(log: Interactions, part: Part, moments: Sequence[tuple[np.ndarray, int]]) -> np.ndarray:
    """Return the ids of rows `(n,)`: the user, and unless it is the one moment judged, how many items the history has."""
    users = log.frame[log.columns.user].astype(str).to_numpy()
    said = [(users[rows[0]], at) for rows, at in moments]
    return np.array([user if part == "test" else f"{user}, after {at} items" for user, at in said], dtype=object)


def _users(log: Interactions, moments: Sequence[tuple[np.ndarray, int]], names: Sequence[str], held: int) -> pd.DataFrame:
    """Return raw rows: at each moment what is known of the user, the history, and the items chosen next."""
    columns = dict.fromkeys([log.columns.user, *(code.column for code in (*log.users_known, *log.sensitive))])
    raw = log.frame[list(columns)].iloc[[rows[0] for rows, _ in moments]].reset_index(drop=True)
    return raw.assign(
        **{
            HISTORY: [encoded_items([names[row] for row in rows[:at]]) for rows, at in moments],
            CHOSEN: [encoded_items([names[row] for row in rows[at : at + held]]) for rows, at in moments],
        }
    )


def _others(log: Interactions, train: np.ndarray, context: int) -> list[str]:
    """Return for each rating the latest items that its user rated in the training part, itself left out, as JSON."""
    users, names = pd.factorize(log.frame[log.columns.user])[0], _names(log)
    learnt: dict[int, list[int]] = {}
    for row in train:
        learnt.setdefault(int(users[row]), []).append(int(row))
    found = []
    for row, user in enumerate(users):
        past = [other for other in learnt.get(int(user), [])[-context - 1 :] if other != row]
        found.append(encoded_items([names[other] for other in past[-context:]]))
    return found


def _names(log: Interactions) -> list[str]:
    """Return the item of each row."""
    return [str(name) for name in log.frame[log.columns.item]]


def _encoder(log: Interactions, train: pd.DataFrame, context: int, *, rated: bool) -> InteractionEncoder:
    """Number the tokens: padding, the unknown, items, then users and the features of both as the training rows have them."""
    cells, columns = log.columns.cells, log.columns
    user = GroupCode(name=columns.user, column=columns.user)
    codes = (user, *log.users_known)
    values = [in_order(set(code.groups(train[code.column], cells))) for code in codes]
    fields = fields_of(codes, values, 2 + len(log.items))
    return InteractionEncoder(
        items=log.items,
        user_fields=fields,
        item_fields=_item_fields(log, _next(fields)) if rated else (),
        context=context,
        rating=columns.rating if rated else None,
        sensitive=log.sensitive,
        cells=cells,
    )


def _item_fields(log: Interactions, first: int) -> tuple[Field, ...]:
    """Return the item itself, whose tokens are those of histories, and its features."""
    own = Field(code=GroupCode(name=log.columns.item, column=log.columns.item), first=2, values=log.items)
    known = log.of_items(log.items_known)
    return (own, *fields_of(log.items_known, [in_order(set(known[code.name])) for code in log.items_known], first))


def _next(fields: Sequence[Field]) -> int:
    return fields[-1].first + len(fields[-1].values)


def _schema(log: Interactions, encoder: InteractionEncoder, train: np.ndarray, target: Target, *, unit: str) -> Schema:
    item_fields = _item_fields(log, _next(encoder.user_fields))
    known = log.of_items(log.items_known)
    numbers = [[each.first + each.values.index(value) for value in known[each.code.name]] for each in item_fields[1:]]
    own = range(2, 2 + len(log.items))
    names = [token for each in (*encoder.user_fields, *item_fields[1:]) for token in each.tokens]
    width = len(encoder.user_fields) + len(encoder.item_fields) + encoder.context
    return Schema(
        modality="text",
        shape=(width,),
        target=target,
        sensitive=tuple(code.name for code in log.sensitive),
        unit=unit,
        facts=TextFacts(
            padding=PADDING,
            unknown=UNKNOWN,
            vocabulary=("[PAD]", "[UNK]", *log.items, *names),
            column=HISTORY,
            piece="entry",
            catalogue=CatalogueFacts(
                items=log.items,
                tokens=tuple(zip(own, *numbers, strict=True)),
                popularity=tuple(np.bincount(log.item_codes[train], minlength=len(log.items)).tolist()),
                groups=log.of_items(log.grouped),
                user_fields=tuple(each.code.name for each in encoder.user_fields),
                item_fields=tuple(each.code.name for each in encoder.item_fields),
            ),
        ),
    )


def _data(
    log: Interactions,
    splits: dict[Part, Split],
    schema: Schema,
    encoder: InteractionEncoder,
    how: str,
    treatments: Sequence[Treatment],
    source: str,
) -> Data:
    users = log.frame[log.columns.user].nunique()
    return Data(
        split=how,
        schema=schema,
        train=splits["train"],
        validation=splits.get("validation"),
        test=splits["test"],
        encoder=encoder,
        treatments=(*log.treatments, *treatments),
        notes=(f"{len(log.frame):,} interactions of {users:,} users with {len(log.items):,} items",),
        source=source,
    )
