"""What happened after a date: the only room that looks past it."""
