"""Weighted measures of how well windows of text were predicted."""

import numpy as np
import pandas as pd


def loss(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean negative log-likelihood of a token, in nats, `(b,)`.

    Args:
        frame: Columns `loss` (mean over a window's tokens) and `tokens`, n rows.
        weights: `(b, n)`.
    """
    tokens = frame["tokens"].to_numpy(dtype=np.float64)
    return _divided(weights @ (frame["loss"].to_numpy(dtype=np.float64) * tokens), weights @ tokens)


def perplexity(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return e to the mean loss of a token: among how many equally likely tokens the model is undecided, `(b,)`."""
    certain: np.ndarray = np.exp(loss(frame, weights))
    return certain


def bits_per_character(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the bits an ideal code based on the model spends on a character, `(b,)`; comparable across vocabularies."""
    bits = frame["loss"].to_numpy(dtype=np.float64) * frame["tokens"].to_numpy(dtype=np.float64) / np.log(2)
    return _divided(weights @ bits, weights @ frame["characters"].to_numpy(dtype=np.float64))


def token_accuracy(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the share of tokens that were the model's first guess, `(b,)`."""
    tokens = frame["tokens"].to_numpy(dtype=np.float64)
    return _divided(weights @ (frame["guessed"].to_numpy(dtype=np.float64) * tokens), weights @ tokens)


def _divided(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)
    return ratio
