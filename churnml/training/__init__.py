"""From operator tables or a table of one's own to a tested, registered model."""
