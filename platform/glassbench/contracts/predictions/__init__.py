"""Kinds of prediction, one per file: what a row of predictions means, how wrong it is, and what can be compared."""
