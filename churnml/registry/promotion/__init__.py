"""Promotion: challenger against champion, aliases, and history."""
