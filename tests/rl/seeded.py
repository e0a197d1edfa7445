"""Episodes that begin with seeds of one's choice."""

import gymnasium


class Seeded(gymnasium.Wrapper):
    """Begins each episode with the next of given seeds."""

    def __init__(self, env, seeds):
        super().__init__(env)
        self.seeds = iter([int(seed) for seed in seeds])

    def reset(self, *, seed=None, options=None):
        return self.env.reset(seed=next(self.seeds, 0), options=options)
