"""Generation: images from benchmark prompts across models and settings."""

if __name__ != "diptych.generate":
    raise ImportError("import diptych.generate, not generate: the repository root is on sys.path")
