"""Sockets into bytes: the only place that knows sockets."""
