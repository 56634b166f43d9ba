"""Mini et al. (2023) on a maze-solving policy network, re-executed on small maze agents."""
