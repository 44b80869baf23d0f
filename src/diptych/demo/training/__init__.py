"""Trains the models of the demo world; what it makes lies in ``demo/models``. Nothing else of diptych imports it."""
