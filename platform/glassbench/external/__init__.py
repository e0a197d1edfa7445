"""External models and rows, given from Python to `glassbench.audit`: no plugin brings them, and no run can make them again."""
