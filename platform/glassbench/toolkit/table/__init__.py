"""From a raw table to the rows a model learns."""
