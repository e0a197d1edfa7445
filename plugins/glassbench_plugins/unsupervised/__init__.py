"""What learning without a truth shares: networks that take their shape from the rows, descent, prediction rows."""
