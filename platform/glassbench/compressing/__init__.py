"""A run's network made smaller, and what that cost whom on the rows that neither saw."""
