"""Statistics: intervals of means and shares, paired differences. They know no dataset and no file."""
