"""A run's folder on the machine's own address: its pages, and what the model says of a row when a cell is changed."""

from glassbench.viewer.server import RunServer

__all__ = ["RunServer"]
