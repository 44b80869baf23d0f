"""Odd inputs, made from a seed, each with what a careful person finds in it, written down without the product's help.

``tars``, ``folders``, ``tables``, ``parquets`` and ``configs`` make them; ``case`` is what they have in common.
"""
