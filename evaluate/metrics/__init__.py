"""Set metrics: vectors of two sets, or of one, to a number that knows its error."""
