"""Maximum entropy goal-directedness: how well pursuit of a utility foretells what a policy does."""
