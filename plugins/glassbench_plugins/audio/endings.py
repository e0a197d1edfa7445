"""Which files are sounds, known without reading any."""

ENDINGS = (".wav", ".flac", ".ogg", ".oga", ".aif", ".aiff", ".au", ".mp3")
"""Endings of sound files."""
