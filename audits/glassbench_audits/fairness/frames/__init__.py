"""Metrics by group: from confusion counts, by resampling, or both; and how they are said."""
