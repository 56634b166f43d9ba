"""What happened: environments, training, probes, logged runs and the curve store."""
