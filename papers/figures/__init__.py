"""Figures of the report: matplotlib drawings as inline SVG, each with its table."""
