"""Evaluation: set metrics, benchmark protocols and audits, with honest uncertainty."""

if __name__ != "diptych.evaluate":
    raise ImportError("import diptych.evaluate, not evaluate: the repository root is on sys.path")
