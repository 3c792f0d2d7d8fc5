"""Small senders to try a log receiver with; standard library only, nothing of logopsd."""
