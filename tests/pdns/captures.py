#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What `dnsweir-collect pdns import` makes of captures, held against what tshark finds in them: captures.py PROGRAM FOLDER

Compares A, AAAA, NS, CNAME, PTR and MX records of answer sections. Where tshark takes a message for malformed, it
may have stopped anywhere: then only what it found in others has to be there. Prints TAP.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

PROGRAM, FOLDER = sys.argv[1:3]
DATA = {"1": ("A", "dns.a"), "28": ("AAAA", "dns.aaaa"), "2": ("NS", "dns.ns"), "5": ("CNAME", "dns.cname"),
        "12": ("PTR", "dns.ptr.domain_name"), "15": ("MX", "dns.mx.mail_exchange")}
KINDS = {kind for kind, _ in DATA.values()}


def field(of, name):
    found = of.find(f".//field[@name='{name}']")
    return None if found is None else found.get("show")


def name_text(name):
    """As it is shown: in lower case; the root is a dot."""
    return "." if name in ("<Root>", "") else name.lower()


def records(message):
    """Tuples of a message's answer section."""
    for part in message:
        if not (part.get("show") or "").startswith("Answers"):
            continue
        for record in part:
            kind, at = DATA.get(str(int(field(record, "dns.resp.type") or "0", 0)), (None, None))
            data = field(record, at) if kind else None
            if data is None or int(field(record, "dns.resp.class") or "0", 0) != 1:
                continue
            if kind == "MX":
                data = f"{field(record, 'dns.mx.preference')} {name_text(data)}"
            elif kind not in ("A", "AAAA"):
                data = name_text(data)
            yield name_text(field(record, "dns.resp.name") or ""), kind, data


def of_packet(packet):
    """Its DNS responses from port 53, and whether all of it was understood."""
    ports = [f.get("show") for f in packet.iter("field") if f.get("name") in ("udp.srcport", "tcp.srcport")]
    good = packet.find(".//field[@name='_ws.malformed']") is None and packet.find("proto[@name='_ws.malformed']") is None
    for message in packet.findall("proto[@name='dns']"):
        flags = int(field(message, "dns.flags") or "0", 16)
        if ports and ports[-1] == "53" and flags & 0x8000 and not flags & 0x7800:
            yield message, good


def wanted(path):
    """Tuples, and whether all messages were understood."""
    # Ports of other protocols are not taken for DNS; names stand as they are.
    done = subprocess.run(["tshark", "-n", "-r", path, "-T", "pdml"], capture_output=True, check=False)
    tuples, all_good = set(), True
    text = re.sub(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", b"?", done.stdout)
    for packet in xml.etree.ElementTree.fromstring(text):
        for message, good in of_packet(packet):
            all_good &= good
            tuples.update(records(message) if good else ())
    return tuples, all_good


def imported(path, top):
    folder = os.path.join(top, os.path.basename(path))
    done = subprocess.run([PROGRAM, "pdns", "import", "-D", folder, path], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        return None
    done = subprocess.run([PROGRAM, "pdns", "export", "-D", folder], capture_output=True, text=True, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {(row["rrname"], row["rrtype"], row["rdata"][0]) for row in rows if row["rrtype"] in KINDS}


def main():
    number = failed = 0
    why = "tshark is not there" if not shutil.which("tshark") else \
        f"{FOLDER} is not there" if not os.path.isdir(FOLDER) else ""
    if why:
        print(f"ok 1 - captures against tshark # SKIP {why}\n1..1")
        return 0
    with tempfile.TemporaryDirectory() as top:
        for file in sorted(os.listdir(FOLDER)):
            if not file.endswith(".pcap"):
                continue
            there, all_good = wanted(os.path.join(FOLDER, file))
            found = imported(os.path.join(FOLDER, file), top)
            number += 1
            differ = (there ^ found if all_good else there - found) if found is not None else there
            good = found is not None and not differ
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} - {file} gives "
                  + ("what tshark finds" if all_good else "all that tshark finds in what it takes for whole"))
            for key in sorted(differ)[:10]:
                print(f"# only {'tshark' if key in there else 'we'}: {key}")
            print(f"# {len(there)} tuples, {len(found or ())} of ours")
    print(f"1..{number}")
    return 1 if failed else 0


sys.exit(main())
