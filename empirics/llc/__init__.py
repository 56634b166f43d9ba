"""The local learning coefficient: how degenerate a checkpoint's minimum is, by sampling."""
