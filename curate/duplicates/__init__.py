"""Duplicates: which rows show the same picture, and which copy stays. Removes nothing itself."""
