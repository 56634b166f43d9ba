"""Published results re-executed, studies, and the reports."""
