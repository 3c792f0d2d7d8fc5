"""Sends the sink's files on: the files are the queue, and a position says how far they are sent."""
