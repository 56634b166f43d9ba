"""Rungs on decision problems small enough for exact values (after Elliott et al. 2026)."""
