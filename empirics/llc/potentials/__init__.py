"""Energies of policies and critics: which have a learning coefficient, and which are refused."""
