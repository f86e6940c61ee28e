#!/usr/bin/env python3
"""A worked example of an extension that brings a class of qubes: see docs/extensions.md.

Its file in extensions.d names this program and kiosk-classes.json, which says what a KioskVM is. A kiosk starts only with a page to show;
the page is in its QubesDB while it runs. As long as this program runs, kiosks may call kiosk.Done in dom0.
"""

import sys

from lamp import Daemon, Refused

RULES = "kiosk.Done * @type:KioskVM @adminvm allow\nkiosk.Done * @anyvm @anyvm deny notify=no\n"


class Kiosk:
    def __init__(self):
        self.daemon = Daemon({
            "initialize": self.initialize,
            "event": self.event,
            "shutdown": lambda params: sys.exit(0),
        })

    def initialize(self, params):
        return {
            "protocol": 1,
            "qube_classes": ["KioskVM"],
            "subscriptions": [
                {"event": "domain-pre-start", "mode": "call", "class": "KioskVM"},
                {"event": "domain-qdb-create", "class": "KioskVM"},
                {"event": "property-set:kiosk_url", "class": "KioskVM"},
                {"event": "connection-established"},
            ],
        }

    def event(self, params):
        name, qube = params["event"], params["subject"]
        if name == "connection-established":
            self.daemon.call("policy.set", rules=RULES)
        elif name == "domain-pre-start":
            if self.page(qube) == "about:blank":
                raise Refused(f"Kiosk {qube} has no page to show: set kiosk_url", "QubesVMError")
        else:
            # Nothing is written while it does not run.
            self.daemon.call("qubesdb.write", qube=qube, path="/kiosk/url", value=self.page(qube))

    def page(self, qube):
        return self.daemon.call("property.get", qube=qube, property="kiosk_url")["value"]


if __name__ == "__main__":
    Kiosk().daemon.run()
