"""Series: forecasts of any horizon over several channels, and classes of series."""
