"""Config: YAML to a frozen model, errors with their places, overrides and the identity of a value.

Decides nothing about what a job needs: each folder owns its model.
"""
