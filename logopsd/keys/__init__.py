"""Keys that are kept in files."""
