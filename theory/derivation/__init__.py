"""What follows from a story by calculation: scales, solutions, exponents, what can be known."""
