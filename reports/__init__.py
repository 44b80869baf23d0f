"""Reports: a static folder of pages made from the results."""

if __name__ != "diptych.reports":
    raise ImportError("import diptych.reports, not reports: the repository root is on sys.path")
