"""What the curves say about the hypotheses: fits, evidence, comparison, verdicts."""
