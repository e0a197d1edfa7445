"""Audio: clips, by class."""
