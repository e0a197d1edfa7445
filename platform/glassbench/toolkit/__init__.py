"""Parts for data set plugins: reading files, cells, splits and tables."""
