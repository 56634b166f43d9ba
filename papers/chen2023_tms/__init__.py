"""Chen et al. (2023) on the toy model of superposition, and the same model under PPO."""
