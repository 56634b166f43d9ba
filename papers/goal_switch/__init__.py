"""The study of agents whose goal switches from a proxy to what was rewarded."""
