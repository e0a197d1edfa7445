"""Train a model and audit it in the same run."""
