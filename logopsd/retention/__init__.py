"""What becomes of files that have grown old: deleted, or archived and verified."""
