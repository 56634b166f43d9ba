"""Several curves together: frequencies over runs, populations of runs, and what forms first."""
