"""What generic code does with rows: known outcomes, expanded counts, pooled groups, order of groups, new rows."""
