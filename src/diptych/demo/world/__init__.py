"""The drawn world: scenes with known truth, their pictures and captions, and the web that serves them.

Knows no model.
"""
