"""Reads what the sink has stored: its files as they grow, their lines, their sizes."""
