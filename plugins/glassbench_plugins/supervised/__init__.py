"""Tasks that learn from given truths, whatever the rows are: classification and regression."""
