"""Audits: how often an attribute is seen, by group, beside a reference and beside chance."""
