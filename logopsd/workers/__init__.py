"""Several processes that receive as one (LOGOPS_WORKERS): a supervisor and its workers.

    supervisor.py   the lifetime of the whole: sockets, workers, figures, account, retention
    crew.py         all workers: started, started again, told of settings, ended
    process.py      one of them as the supervisor sees it
    restarts.py     when it is started again; pure
    sharing.py      sockets, opened once for all workers
    directories.py  the directories they write to, locked once for all
    whole.py        what is shown and kept of all workers together
    senders.py      their tables of senders as one; pure
    processes.py    their CPU and memory as one
    side.py         what the side port serves
    upkeep.py       what is done again and again
    messages.py     what supervisor and worker say to each other
    worker.py       the other end: the daemon, with a few parts exchanged

With one worker, the default, none of this is imported. Why so: docs/decisions/0004-workers.md.
"""
