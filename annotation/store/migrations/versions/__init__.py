"""Steps that bring a database up to date; each is kept for ever."""
