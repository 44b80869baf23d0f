"""Judges that say which things are in an image, and where: detectors."""
