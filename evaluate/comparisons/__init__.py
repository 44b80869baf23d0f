"""Comparisons: differences between models, within a run or between stores, and what they settle."""
