"""Odd inputs, made from a seed, each with what a careful person finds in it, written down without the product's help.

``tars``, ``folders``, ``tables`` and ``parquets`` make them; ``case``, ``captions`` and ``typed_columns`` are what they
have in common. ``configs`` makes odd configs of ``config_pieces``.
"""
