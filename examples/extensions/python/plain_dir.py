#!/usr/bin/env python3
"""A worked example of a storage driver: see docs/extensions.md.

Pools of the driver "plain-dir" keep raw files in a directory:

    DIR/VID.img         the last committed state; never written to, only replaced
    DIR/VID.work        the working copy, given to the qube
    DIR/VID.base        of a snapshot: a second name of the state it was taken of
    DIR/VID.rev-N       former states
    DIR/VID.import      new content that is being written by somebody else
    DIR/VID.export-X    a second name of a state that is being read by somebody else
    DIR/...tmp          being made
    DIR/.lock           held by whoever works on the pool

Every change of a state is one rename, so at any moment there is the old one or the new one, and being killed needs no repair but the removal
of files that are being made. Files share blocks where the file system can.
"""

import concurrent.futures
import contextlib
import errno
import fcntl
import json
import os
import re
import sys
import threading
import time
import traceback

FICLONE = 0x40049409
CHUNK = 1 << 20
ZEROS = bytes(CHUNK)


class Refused(Exception):
    """Raised by a handler to say no."""


class Daemon:
    """The conversation with qubesd. Requests are worked on at the same time: a long copy keeps no other volume waiting."""

    def __init__(self, handlers):
        self._handlers = handlers
        self._sending = threading.Lock()
        self._last_progress = 0.0

    def run(self):
        with concurrent.futures.ThreadPoolExecutor(max_workers=16) as workers:
            for line in sys.stdin.buffer:
                message = json.loads(line)
                if "method" in message:
                    workers.submit(self._answer, message)
            # The daemon is gone. Nobody waits for what is being done, and it can be left at any moment.
            os._exit(0)

    def progress(self):
        """Tells that something long goes on; as long as this is heard, nobody takes us for hung."""
        now = time.monotonic()
        if now - self._last_progress > 0.5:
            self._last_progress = now
            self._send({"method": "progress"})

    def _answer(self, message):
        handler = self._handlers.get(message["method"])
        try:
            if handler is None:
                reply = {"error": {"code": -32601, "message": "no such method"}}
            else:
                reply = {"result": handler(message.get("params", {}))}
        except Refused as e:
            reply = {"error": {"code": 1, "message": str(e)}}
        except OSError as e:
            # A full disk, say. Nothing has changed.
            reply = {"error": {"code": 1, "message": f"{e.strerror or e}"}}
        except Exception:
            traceback.print_exc()
            reply = {"error": {"code": -32603, "message": "internal error, see the log of qubesd"}}
        if "id" in message:
            self._send({"id": message["id"], **reply})

    def _send(self, message):
        with self._sending:
            try:
                sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
                sys.stdout.buffer.flush()
            except BrokenPipeError:
                os._exit(0)


class Volume:
    """The files of one volume, as one request speaks of it."""

    def __init__(self, pool, volume):
        self.directory = pool["options"]["dir_path"]
        self.config = volume
        self.vid = volume["vid"]
        self.kind = volume["kind"]
        self.keep = max(0, volume["revisions_to_keep"])
        self.base = self._file("base")
        self.image = self._file("img")
        self.work = self._file("work")
        self.incoming = self._file("import")

    def _file(self, suffix):
        return f"{self.directory}/{self.vid}.{suffix}"

    def source_image(self):
        return f"{self.directory}/{self.config['source']}.img"

    def making(self, what):
        """The name of a file until it is complete."""
        return f"{what}.{threading.get_ident()}.tmp"

    def new_export(self):
        return self._file(f"export-{os.urandom(8).hex()}")

    def files(self):
        """Everything that belongs to the volume, its committed state last."""
        folder, name = os.path.split(f"{self.directory}/{self.vid}")
        if not os.path.isdir(folder):
            return []
        found = [f"{folder}/{entry}" for entry in os.listdir(folder) if entry.startswith(name + ".")]
        return sorted(found, key=lambda path: path == self.image)

    def revisions(self):
        """Pairs of number and path, oldest first."""
        pattern = re.compile(re.escape(f"{self.directory}/{self.vid}.rev-") + r"([0-9]+)\Z")
        return sorted((int(match[1]), match[0]) for match in map(pattern.match, self.files()) if match)

    def make_folder(self):
        os.makedirs(os.path.dirname(self.image), exist_ok=True)

    def sync(self):
        """Names are durable when their directory is."""
        sync_path(os.path.dirname(self.image))

    def require_stopped(self, what):
        if os.path.exists(self.work):
            raise Refused(f"Volume {self.vid} must be stopped before {what}")

    def keep_state(self):
        """Gives the committed state a second name, under which it stays when the first one is taken by a new state."""
        revisions = self.revisions()
        if not os.path.exists(self.image) or (revisions and os.path.samefile(revisions[-1][1], self.image)):
            return
        os.link(self.image, self._file(f"rev-{revisions[-1][0] + 1 if revisions else 1}"))
        self.sync()

    def commit(self, new):
        """A complete file becomes the committed state."""
        sync_path(new)
        if self.keep:
            self.keep_state()
        os.rename(new, self.image)
        self.sync()
        for _, path in self.revisions()[:-self.keep or None]:
            os.unlink(path)


def sync_path(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def make_sparse(path, size):
    with open(path, "wb") as file:
        file.truncate(size)


def copy(source, target, progress):
    """Copies a file or block device; holes, or what is only zeros, take no room."""
    with open(source, "rb", buffering=0) as reading, open(target, "wb", buffering=0) as writing:
        with contextlib.suppress(OSError):
            fcntl.ioctl(writing, FICLONE, reading.fileno())
            return
        size = reading.seek(0, os.SEEK_END)
        writing.truncate(size)
        at = 0
        while at < size:
            try:
                at = os.lseek(reading.fileno(), at, os.SEEK_DATA)
            except OSError as e:
                if e.errno == errno.ENXIO:
                    # Only a hole is left. (Block devices have none: another error, and all is read.)
                    break
            data = os.pread(reading.fileno(), CHUNK, at)
            if not data:
                break
            if data != ZEROS[:len(data)]:
                os.pwrite(writing.fileno(), data, at)
            at += len(data)
            progress()


class PlainDirectory:
    def __init__(self):
        self.locks = {}
        self.removing = threading.Lock()
        self.daemon = Daemon({
            "initialize": self.initialize,
            "pool.setup": self.setup,
            "pool.open": self.open,
            "pool.close": self.close,
            "pool.usage": self.usage,
            "pool.list": lambda params: {"volumes": self.find(params["pool"], ".img")},
            **{"volume." + name: self.on_volume(handler) for name, handler in {
                "create": self.create, "remove": self.remove, "start": self.start, "stop": self.stop, "verify": self.verify,
                "resize": self.resize, "export": self.export, "export_end": self.export_end, "import_begin": self.import_begin,
                "import_end": self.import_end, "import": self.import_, "revisions": self.revisions, "revert": self.revert,
                "status": self.status,
            }.items()},
        })

    @staticmethod
    def on_volume(handler):
        return lambda params: handler(Volume(params["pool"], params["volume"]), params)

    @staticmethod
    def initialize(params):
        return {"protocol": 1, "storage_drivers": [{
            "name": "plain-dir",
            "description": "Raw files in a directory",
            "parameters": [{"name": "dir_path", "required": True}],
        }]}

    # Pools

    def setup(self, params):
        path = params["pool"]["options"]["dir_path"]
        if not os.path.isabs(path) or os.path.normpath(path) != path or " " in path:
            raise Refused("dir_path must be an absolute path without spaces")
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o755)
        sync_path(os.path.dirname(path))

    def open(self, params):
        path = params["pool"]["options"]["dir_path"]
        if not os.path.isdir(path):
            raise Refused(f"The pool's directory {path} is missing")
        self.lock(params["pool"]["name"], path)
        for folder, _, files in os.walk(path):
            for file in files:
                # What a former run was making, and exports nobody reads any more.
                if file.endswith(".tmp") or ".export-" in file:
                    os.unlink(f"{folder}/{file}")
        return {"started": self.find(params["pool"], ".work")}

    def lock(self, pool, path):
        """If the daemon was killed, a former run of this program may not have noticed yet: there must never be two at work."""
        name = f"{path}/.lock"
        if pool in self.locks and self.locks[pool].name == name:
            return
        lock = open(name, "wb")
        for _ in range(600):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.locks[pool] = lock
                return
            except BlockingIOError:
                time.sleep(0.1)
                self.daemon.progress()
        lock.close()
        raise Refused(f"Somebody else works on {path}")

    def close(self, params):
        lock = self.locks.pop(params["pool"]["name"], None)
        if lock:
            lock.close()

    @staticmethod
    def usage(params):
        space = os.statvfs(params["pool"]["options"]["dir_path"])
        return {"size": space.f_frsize * space.f_blocks, "used": space.f_frsize * (space.f_blocks - space.f_bfree)}

    @staticmethod
    def find(pool, suffix):
        """The ids of the volumes that have a file of this kind."""
        path = pool["options"]["dir_path"]
        return [os.path.relpath(f"{folder}/{file}", path)[:-len(suffix)]
                for folder, _, files in os.walk(path) for file in files if file.endswith(suffix)]

    # Volumes

    def create(self, volume, params):
        if os.path.exists(volume.image) or os.path.exists(volume.work):
            raise Refused(f"Volume {volume.vid} already exists")
        volume.make_folder()
        new = volume.making(volume.image)
        make_sparse(new, volume.config["size"])
        sync_path(new)
        os.rename(new, volume.image)
        volume.sync()

    def remove(self, volume, params):
        # Volumes of a qube share a folder and are removed at the same time: the last one takes it away.
        with self.removing:
            files = volume.files()
            for path in files:
                remove(path)
            if files:
                volume.sync()
                with contextlib.suppress(OSError):
                    os.rmdir(os.path.dirname(volume.image))

    def start(self, volume, params):
        volume.make_folder()
        remove(volume.incoming)
        if volume.kind == "origin":
            if os.path.exists(volume.work):
                # Not stopped after its last run: goes on from there.
                return {"path": volume.work}
            if not os.path.exists(volume.image):
                raise Refused(f"Volume {volume.vid} is missing")
            source = volume.image
        elif volume.kind == "snapshot":
            if not os.path.exists(volume.source_image()):
                raise Refused(f"Volume {volume.config['source']} is missing")
            remove(volume.base)
            os.link(volume.source_image(), volume.base)
            source = volume.base
        else:
            source = None

        new = volume.making(volume.work)
        if source:
            copy(source, new, self.daemon.progress)
            # By the time it can be told at the stop whether anything was written.
            status = os.stat(source)
            os.utime(new, ns=(status.st_mtime_ns, status.st_mtime_ns))
        else:
            make_sparse(new, volume.config["size"])
        if volume.kind == "origin":
            # After a power cut it must be complete, if it is there: it is committed then.
            sync_path(new)
        os.rename(new, volume.work)
        return {"path": volume.work}

    def stop(self, volume, params):
        if volume.kind != "origin":
            remove(volume.work)
            remove(volume.base)
        elif os.path.exists(volume.work):
            work, image = os.stat(volume.work), os.stat(volume.image)
            if (work.st_mtime_ns, work.st_size) == (image.st_mtime_ns, image.st_size):
                os.unlink(volume.work)
            else:
                volume.commit(volume.work)

    def verify(self, volume, params):
        needed = {"origin": volume.image, "snapshot": volume.source_image() if volume.kind == "snapshot" else None}.get(volume.kind)
        if needed and not os.path.exists(needed):
            raise Refused(f"Missing image file for volume {volume.vid}")

    def resize(self, volume, params):
        if os.path.exists(volume.work):
            os.truncate(volume.work, params["size"])
            return {"online": True}
        if volume.kind == "origin":
            new = volume.making(volume.image)
            copy(volume.image, new, self.daemon.progress)
            os.truncate(new, params["size"])
            sync_path(new)
            os.rename(new, volume.image)
            volume.sync()
        return {"online": False}

    def export(self, volume, params):
        path = volume.new_export()
        os.link(volume.image, path)
        return {"path": path}

    def export_end(self, volume, params):
        if params["path"] in volume.files() and ".export-" in params["path"]:
            remove(params["path"])

    def import_begin(self, volume, params):
        volume.require_stopped("its data is replaced")
        remove(volume.incoming)
        make_sparse(volume.incoming, params["size"])
        return {"path": volume.incoming}

    def import_end(self, volume, params):
        if not params["success"]:
            remove(volume.incoming)
            return
        volume.require_stopped("its data is replaced")
        if not os.path.exists(volume.incoming):
            raise Refused(f"No import operation in progress on {volume.vid}")
        volume.commit(volume.incoming)

    def import_(self, volume, params):
        volume.require_stopped("its data is replaced")
        new = volume.making(volume.incoming)
        copy(params["path"], new, self.daemon.progress)
        volume.commit(new)

    def revisions(self, volume, params):
        return {"revisions": [{"id": str(number), "time": int(os.stat(path).st_mtime)} for number, path in volume.revisions()]}

    def revert(self, volume, params):
        volume.require_stopped("it is reverted")
        revisions = volume.revisions()
        chosen = [path for number, path in revisions if params["revision"] in (None, str(number))]
        if not chosen:
            raise Refused(f"Volume {volume.vid} has no such revision")
        if volume.keep:
            volume.keep_state()
        os.rename(chosen[-1], volume.image)
        volume.sync()

    def status(self, volume, params):
        data = next((path for path in (volume.work, volume.image) if os.path.exists(path)), None)
        status = os.stat(data) if data else None
        return {
            "size": status.st_size if status else volume.config["size"],
            "usage": status.st_blocks * 512 if status else 0,
            "path": volume.work,
            "dirty": os.path.exists(volume.work),
            "outdated": volume.kind == "snapshot" and os.path.exists(volume.base)
                        and not (os.path.exists(volume.source_image()) and os.path.samefile(volume.base, volume.source_image())),
        }


if __name__ == "__main__":
    os.umask(0o077)
    PlainDirectory().daemon.run()
