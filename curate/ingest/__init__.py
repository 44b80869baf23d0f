"""Ingest: from the rows of a source to the shards of a pool, every row of the input a row with a status.

Decides which rows belong into which shard and what becomes of each. Does not decide what the rows of an input are
(``sources``), nor how a URL is asked for (``download``).
"""
