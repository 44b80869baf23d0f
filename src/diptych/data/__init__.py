"""Data: WHAT lies in a dataset directory: its rows, its shards, its column sets, and how it grows.

Decides nothing about what is in a column, nor where the bytes lie.
"""
