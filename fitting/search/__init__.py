"""The search for new forms: an exhaustive enumeration, symbolic regression, matching back."""
