"""What every room stands on: text, files, dates, and what hides secrets."""
