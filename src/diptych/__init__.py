"""diptych: curate image-text pairs, reproduce images from prompts, and judge both with numbers that can be defended."""

__version__ = "0.0.1"
