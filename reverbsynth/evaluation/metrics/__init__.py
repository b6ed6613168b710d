"""Measures of generated notes, grouped by what they need."""
