"""Look-ahead in a chess network (Jenner et al. 2024), on recurrent maze agents."""
