"""Look-ahead and planning: what an agent knows of the steps it has not taken yet."""
