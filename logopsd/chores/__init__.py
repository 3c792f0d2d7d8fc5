"""What the daemon does beside the data, again and again, as long as it runs."""
