#!/usr/bin/env python3
"""Extensions for tests. First argument: how to behave; second: a JSON text for "scripted"."""

import json
import sys

mode = sys.argv[1]
last_id = 0
early = {}


def send(message):
    sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    sys.stdout.buffer.flush()


def receive():
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)


def shake_hands(**wanted):
    message = receive()
    assert message["method"] == "initialize", message
    send({"id": message["id"], "result": {"protocol": 1, **wanted}})


def call(method, params, answer):
    """Returns the whole answer message; questions that come meanwhile are answered."""
    global last_id
    last_id += 1
    mine = last_id
    send({"id": mine, "method": method, "params": params})
    while mine not in early:
        message = receive()
        if "method" in message:
            answer(message)
        else:
            # Perhaps to a call further out: what comes meanwhile can make calls of its own.
            early[message["id"]] = message
    return early.pop(mine)


def scripted(script):
    answers = script.get("answers", {})

    def answer(message):
        if message["method"] == "shutdown":
            sys.exit(0)
        happened = message.get("params", {})
        if "id" in message:
            reply = answers.get(happened.get("event", message["method"]), {"result": None})
            if reply == "silence":
                return
            if reply == "tell and keep silent":
                call("event.fire", {"event": "ext-asked"}, answer)
                return
            if reply == "die":
                sys.exit(9)
            send({"id": message["id"], **reply})
        elif script.get("tell"):
            call("event.fire", {"event": "ext-told:" + happened["event"], "subject": happened["subject"],
                                "arguments": {"json": json.dumps(happened["arguments"], sort_keys=True)}}, answer)

    shake_hands(**script.get("initialize", {}))
    if script.get("wait"):
        # Until it is told that the test is ready.
        while (message := receive()).get("params", {}).get("event") != script["wait"]:
            answer(message)
    results = [{k: v for k, v in call(m, p, answer).items() if k in ("result", "error")} for m, p in script.get("calls", [])]
    if results:
        answers.update(script.get("answersAfter") or {})
        call("event.fire", {"event": "ext-done", "arguments": {"results": json.dumps(results, sort_keys=True)}}, answer)
    while True:
        answer(receive())


def forever():
    while True:
        receive()


if mode == "scripted":
    scripted(json.loads(sys.argv[2]))
elif mode == "crash":
    sys.exit(3)
elif mode in ("leaving", "shut"):
    import os
    import time
    shake_hands()
    os.close(0)
    os.close(1)
    # Its status comes after the end of what it says, or not at all.
    time.sleep(0.2 if mode == "leaving" else 3600)
    sys.exit(4)
elif mode == "mute":
    while sys.stdin.buffer.read(1):
        pass
elif mode == "hang":
    shake_hands(subscriptions=[{"event": "domain-pre-start", "mode": "call"}])
    forever()
elif mode == "deaf":
    shake_hands(subscriptions=[{"event": "*"}])
    import signal
    signal.pause()
elif mode == "flood":
    shake_hands()
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "app.qubes"}).encode() + b"\n"
    while True:
        sys.stdout.buffer.write(line * 100)
elif mode == "garbage":
    shake_hands()
    sys.stdout.buffer.write(b"}{ this is no message\n")
    sys.stdout.buffer.flush()
    forever()
elif mode == "huge":
    shake_hands()
    sys.stdout.buffer.write(b"x" * (1 << 21))
    sys.stdout.buffer.flush()
    forever()
elif mode == "noisy":
    for i in range(20000):
        sys.stderr.write(f"line {i} \x1b[31m\n")
    shake_hands()
    forever()
elif mode == "orphans":
    import os
    if os.fork() == 0:
        import signal
        signal.pause()
    shake_hands()
    sys.exit(0)
else:
    raise SystemExit("unknown mode")
