"""Decision problems small enough for exact values, optima and visits."""
