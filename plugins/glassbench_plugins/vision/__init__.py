"""Images: data sets in memory and on disk, convolutional and residual networks, a vision transformer."""
