"""Curation: from a table of URLs to a filtered, de-duplicated, scored set of Parquet shards."""

if __name__ != "diptych.curate":
    raise ImportError("import diptych.curate, not curate: the repository root is on sys.path")
