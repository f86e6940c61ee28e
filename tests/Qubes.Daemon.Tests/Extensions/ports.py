#!/usr/bin/env python3
"""Publishes devices of the class "port" for tests: dom0 offers those that its feature "ports" names."""

import sys

from lamp import Daemon


class Ports:
    def __init__(self):
        self.daemon = Daemon({
            "initialize": lambda params: {
                "protocol": 1, "device_classes": ["port"], "subscriptions": [{"event": "domain-feature-set:ports"}],
            },
            "event": self.event,
            "device.attach": lambda params: {"options": {}},
            "device.detach": lambda params: None,
            "shutdown": lambda params: sys.exit(0),
        })

    def event(self, params):
        self.daemon.call("devices.set", **{"class": "port", "qube": "dom0", "devices": [
            {"port": name, "device_id": "id", "vendor": "Acme", "product": "Port", "interfaces": ["?******"]}
            for name in params["arguments"]["value"].split()
        ]})


Ports().daemon.run()
