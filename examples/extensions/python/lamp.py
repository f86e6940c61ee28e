#!/usr/bin/env python3
"""A worked example of an extension: see docs/extensions.md.

It publishes the device class named on its command line ("lamp" by default) with one device in dom0, refuses the start of qubes
that have the tag "locked", and writes the label of a qube into a feature of it whenever the label is set.
"""

import json
import sys


class Refused(Exception):
    """Raised by a handler to say no; TYPE is the exception class that clients see."""

    def __init__(self, text, type_=None):
        super().__init__(text)
        self.type = type_


class Daemon:
    """The conversation with qubesd: one JSON text a line, in both directions, on standard input and output."""

    def __init__(self, handlers):
        self._handlers = handlers
        self._last_id = 0
        self._later = []

    def call(self, method, /, **params):
        """Asks the daemon for something. Its questions are answered while waiting, or both would wait for each other."""
        self._last_id += 1
        self._send({"id": self._last_id, "method": method, "params": params})
        while True:
            message = self._receive()
            if "method" not in message:
                if "error" in message:
                    raise RuntimeError(message["error"]["message"])
                return message["result"]
            if "id" in message:
                self._answer(message)
            else:
                # What we are only told of can wait until we are done with what we do.
                self._later.append(message)

    def run(self):
        while True:
            message = self._later.pop(0) if self._later else self._receive()
            self._answer(message)

    def _answer(self, message):
        reply = {"id": message.get("id"), "result": None}
        try:
            handler = self._handlers.get(message["method"])
            if handler is None:
                reply = {"id": message.get("id"), "error": {"code": -32601, "message": "no such method"}}
            else:
                reply["result"] = handler(message.get("params", {}))
        except Refused as e:
            reply = {"id": message.get("id"), "error": {"code": 1, "message": str(e), "data": {"type": e.type}}}
        if "id" in message:
            self._send(reply)

    @staticmethod
    def _receive():
        line = sys.stdin.buffer.readline()
        if not line:
            # The daemon stops, or has had enough of us.
            sys.exit(0)
        return json.loads(line)

    @staticmethod
    def _send(message):
        sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        sys.stdout.buffer.flush()


class Lamp:
    def __init__(self, device_class):
        self.device_class = device_class
        self.daemon = Daemon({
            "initialize": self.initialize,
            "event": self.event,
            "device.attach": lambda params: {"options": {"brightness": params["options"].get("brightness", "50")}},
            "device.detach": lambda params: None,
            "shutdown": lambda params: sys.exit(0),
        })
        self.published = False

    def initialize(self, params):
        return {
            "protocol": 1,
            "device_classes": [self.device_class],
            "subscriptions": [
                {"event": "domain-pre-start", "mode": "call"},
                {"event": "property-set:label"},
                {"event": "connection-established"},
            ],
        }

    def event(self, params):
        name = params["event"]
        if name == "connection-established":
            self.publish()
        elif name == "domain-pre-start":
            if "locked" in self.daemon.call("qube.get", qube=params["subject"])["tags"]:
                raise Refused(f"Qube {params['subject']} is locked", "QubesVMError")
        elif name == "property-set:label":
            self.daemon.call("admin.call", method="admin.vm.feature.Set", argument=f"{self.device_class}-label",
                             destination=params["subject"], payload=params["arguments"]["newvalue"])

    def publish(self):
        """The whole list of what one qube offers; the daemon finds out what is new."""
        self.daemon.call("devices.set", **{"class": self.device_class, "qube": "dom0", "devices": [
            {"port": "desk", "device_id": "0001:0002:lamp", "vendor": "Acme", "product": "Desk lamp", "interfaces": ["l******"]},
        ]})


if __name__ == "__main__":
    Lamp(sys.argv[1] if len(sys.argv) > 1 else "lamp").daemon.run()
