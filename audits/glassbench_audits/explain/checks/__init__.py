"""Self-tests of an explanation, and its reliability grade."""
