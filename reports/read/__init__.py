"""Read: from the store and the datasets to what pages are given. Decides nothing about how it looks."""
