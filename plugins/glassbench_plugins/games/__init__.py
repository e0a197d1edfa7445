"""Two-player games: rules, tree search, learning by self-play, and what policies are judged against."""
