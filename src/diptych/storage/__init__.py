"""Storage: WHERE bytes lie, and how they are read, published whole, listed and locked.

Decides nothing about what they say.
"""
