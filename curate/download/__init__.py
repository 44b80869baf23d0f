"""Download: from a URL to bytes or a reason, within bounds. Decides nothing about what the bytes show."""
