"""Judges that answer questions about an image, by choosing among given answers or in their own words."""
