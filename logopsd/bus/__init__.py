"""How NATS is reached, and what a message in the stream looks like."""
