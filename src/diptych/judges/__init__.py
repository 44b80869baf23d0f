"""Judges: what a model sees in an image. What they say is evidence; whether it is right, scores decide."""
