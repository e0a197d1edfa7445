"""What a generative model makes under each condition."""
