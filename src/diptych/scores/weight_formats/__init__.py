"""Readers of weight formats that other frameworks left behind. They give arrays and know no score."""
