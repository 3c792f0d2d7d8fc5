"""HTTP/1.1: connections, requests, bodies and answers; which routes there are it is told."""
