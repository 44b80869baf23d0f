"""Jobs: run the same work for each of many shards, in one process or in several.

Decides nothing about what the work is.
"""
