"""A run's model as a web service: batches of raw rows, the checks of `predict`, explanations on request."""
