"""Judges that read what is written in images."""
