#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Boxes that are slow, or never answer, beside one that does: boxes_test.py DNSWEIR-COLLECT. Prints TAP."""
import json
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import Collector, Tap, ask, own_network

check, equal = Tap.check, Tap.equal
BOUND_S = 2  # of each box; boxes that were asked one after the other would take that for each
ANSWERS = {"show version": {"version": "1"}, "show generation": {"generation": 7}, "show lists": {"lists": [{"name": "c2"}]},
           "show ports": {"ports": []}, "show stats": {"dnsweir_rx_total": {"0": 5}}, "explain a.example": {"listed": True}}


class Box(threading.Thread):
    """Listens like a box. Answers so many commands of a connection, and then is silent, or drips octets."""

    def __init__(self, path, answers, drips=False):
        super().__init__(daemon=True)
        self.path, self.answers, self.drips = path, answers, drips
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(path)
        os.chmod(path, 0o666)
        self.sock.listen(16)

    def run(self):
        while True:
            connection = self.sock.accept()[0]
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            for n, line in enumerate(connection.makefile()):
                if n == self.answers:
                    while self.drips:
                        connection.sendall(b" ")
                        time.sleep(0.1)
                    return time.sleep(60)
                connection.sendall(json.dumps(ANSWERS[line.strip()]).encode() + b"\n")
        except OSError:
            pass
        return None


def main():
    names = ("good", "half", "silent", "drips", "deaf", "full", "absent")
    collector = Collector(sys.argv[1], "boxes = " + " ".join(f"FOLDER/{name}.sock" for name in names))
    path = {name: os.path.join(collector.folder, name + ".sock") for name in names}
    for box in (Box(path["good"], 9), Box(path["half"], 2), Box(path["silent"], 0), Box(path["drips"], 0, drips=True)):
        box.start()
    # Not even accepted; of one so many wait that no more may.
    deaf = [socket.socket(socket.AF_UNIX) for _ in range(2)]
    for sock, name in zip(deaf, ("deaf", "full")):
        sock.bind(path[name])
        os.chmod(path[name], 0o666)
        sock.listen(0 if name == "full" else 16)
    waits = socket.socket(socket.AF_UNIX)
    waits.connect(path["full"])
    try:
        collector.up()
        key = collector.key_in_force("reader", "pdns")
        began = time.monotonic()
        boxes = json.loads(ask("/v1/boxes", key)[2])["boxes"]
        took = time.monotonic() - began
        equal("boxes come as they are configured", [box["box"] for box in boxes], list(path.values()))
        equal("all that answered something are up", [box["up"] for box in boxes], [True, True] + 5 * [False])
        equal("one that answers is shown whole", boxes[0], {
            "box": path["good"], "up": True, "version": {"version": "1"}, "generation": {"generation": 7},
            "lists": [{"name": "c2"}], "ports": [], "stats": {"dnsweir_rx_total": {"0": 5}}})
        equal("of one that stops in between what it said", boxes[1],
              {"box": path["half"], "up": True, "version": {"version": "1"}, "generation": {"generation": 7}})
        check("five that do not answer take the time of one", BOUND_S - 0.1 < took < 4 * BOUND_S, took)
        began = time.monotonic()
        text = ask("/metrics")[2]
        took = time.monotonic() - began
        up = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith("dnsweir_box_up{")]
        equal("so it is with metrics", up, ["1", "1"] + 5 * ["0"])
        check("which do not take longer either", took < 4 * BOUND_S, took)
        boxes = json.loads(ask("/v1/explain?name=a.example", key)[2])["boxes"]
        equal("and with what boxes say of a name", [box.get("listed") for box in boxes], [True, True] + 5 * [None])
        equal("the collector ends well", collector.down(), 0)
        check("and complained of nothing", "Sanitizer" not in collector.said(), collector.said()[-2000:])
    finally:
        collector.remove()
    return Tap.end()


own_network()
sys.exit(main())
