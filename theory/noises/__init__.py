"""Noises: how a measured curve scatters around its form."""
