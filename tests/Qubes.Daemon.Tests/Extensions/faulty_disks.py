#!/usr/bin/env python3
"""The worked example of a storage driver, which once does not survive a request.

Arguments: the method; "before" or "after" it is carried out, the number of the change of the disk before which it dies, "hang", "refuse", or
"together", when two requests have each taken away a file before either goes on; a file, which is made then.
"""

import contextlib
import os
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
import plain_dir

method, when, done = sys.argv[1:4]
current = threading.local()


def once():
    # Requests come at the same time: the file is the first one's.
    try:
        open(done, "x").close()
    except FileExistsError:
        return False
    return True


def die():
    if once():
        os.kill(os.getpid(), signal.SIGKILL)


def counted(change):
    def wrapper(*args, **kwargs):
        if getattr(current, "changes", None) is not None:
            current.changes += 1
            if when == str(current.changes):
                die()
        return change(*args, **kwargs)
    return wrapper


def faulty(handler):
    def wrapper(params):
        if when == "before":
            die()
        if when == "hang" and once():
            threading.Event().wait()
        if when == "refuse" and once():
            raise plain_dir.Refused("Not now")
        current.changes = 0
        try:
            result = handler(params)
        finally:
            current.changes = None
        if when == "after":
            die()
        return result
    return wrapper


def meet(unlink):
    meeting = threading.Barrier(2)

    def wrapper(path):
        unlink(path)
        if getattr(current, "changes", None) is not None:
            # The driver may let only one of them do it; then nobody comes.
            with contextlib.suppress(threading.BrokenBarrierError):
                if meeting.wait(1) == 0:
                    once()
                    time.sleep(0.3)
    return wrapper


if when == "together":
    os.unlink = meet(os.unlink)
for name in ("rename", "link", "unlink", "truncate", "fsync", "utime"):
    setattr(os, name, counted(getattr(os, name)))
os.umask(0o077)
program = plain_dir.PlainDirectory()
handlers = program.daemon._handlers
handlers[method] = faulty(handlers[method])
program.daemon.run()
