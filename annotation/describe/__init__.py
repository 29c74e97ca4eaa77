"""What a coded data set looks like: the tables and pictures of the DFME paper, of any data set."""
