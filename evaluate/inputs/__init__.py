"""Inputs: what is judged, as rows, scores and vectors, whatever it was read from."""
