"""What could be true: curves, forms, mechanisms, noise, hypotheses."""
