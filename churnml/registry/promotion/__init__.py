"""A challenger against the champion, the aliases that move, and the history of both."""
