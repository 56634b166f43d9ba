"""Ladders of runs: which mechanism timed their onsets."""
