"""Delivery: the kept rows on their way out, in forms that other programs read."""
