"""Bytes of a stream into complete frames. Pure: no sockets, no clocks, no logs."""
