"""Aggregates over runs: robust scores with intervals, and what single runs differ in."""
