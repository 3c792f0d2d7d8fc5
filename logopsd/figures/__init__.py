"""What the daemon knows of itself and of its senders: metrics, account, sources."""
