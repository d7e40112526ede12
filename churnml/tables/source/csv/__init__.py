"""CSV files as people write them."""
