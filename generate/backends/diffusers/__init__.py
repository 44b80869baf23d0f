"""Images by pipelines of diffusers: models as folders, settings as they take them, pixels without neighbours."""
