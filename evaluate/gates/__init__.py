"""Gates: whether the numbers of a run are as good as was asked. Decides nothing about how a number is made."""
