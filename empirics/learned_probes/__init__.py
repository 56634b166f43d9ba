"""Probes that are fitted to activations, and what is needed to believe them."""
