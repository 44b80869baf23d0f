"""Backends: who makes the images that a plan asks for. They decide nothing about which images those are."""
