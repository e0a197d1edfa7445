"""Models and rows that a person lends from Python: no plugin brings them, and no run can make them again."""
