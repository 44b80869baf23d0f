"""How good the models of the demo are, and what a curation made of its web, measured against the truth."""
