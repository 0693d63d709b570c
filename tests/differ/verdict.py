# SPDX-License-Identifier: BSD-3-Clause
"""What a client makes of an answer, in one word, given the answer of the same resolver without any policy.

    passed      the same code, and the same data of the type asked for
    sinkholed   addresses of the sinkhole, and none of the original ones; or such in the additional
                section
    nxdomain    the name does not exist
    nodata      it has nothing of this type
    truncated   nothing, but to ask again over TCP
    no answer
    made        IPv6 addresses that the resolver has made of IPv4 ones (DNS64), in place of others
    mixed       addresses of the sinkhole and original ones, or other ones
    other words are RCODEs
    None        the resolver fails without policy too, so nothing can be said

A chain of CNAMEs on the way, times to live, the order of records, the authority section, what else
is in the additional one, and signatures are no part of it.
"""
import functools
import pathlib

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.zone

from world import SINK4, SINK6

SIGNATURES = {dns.rdatatype.RRSIG, dns.rdatatype.NSEC, dns.rdatatype.NSEC3}
LINKS = {dns.rdatatype.CNAME, dns.rdatatype.DNAME}
ADDRESSES = {dns.rdatatype.A, dns.rdatatype.AAAA}
HINTS = ("ipv4hint=", "ipv6hint=")
DNS64_PREFIX = "64:ff9b::"
SINKS = {SINK4, SINK6}
CLASS_OF = {"A": "address", "AAAA": "address", "HTTPS": "hints", "SVCB": "hints", "ANY": "any",
            "CNAME": "cname", "DNAME": "cname", "DNSKEY": "keys"}


def class_of(kind):
    return CLASS_OF.get(kind, "other")


def addresses_in(records):
    """Addresses of A and AAAA records, and of hints in HTTPS and SVCB records."""
    found = set()
    for kind, text in records:
        if kind in ADDRESSES:
            found.add(text)
        for word in text.split():
            if kind in (dns.rdatatype.HTTPS, dns.rdatatype.SVCB) and word.startswith(HINTS):
                found.update(word.split("=", 1)[1].strip('"').split(","))
    return found


@functools.lru_cache(maxsize=16)
def effect(data, name, kind):
    """(code or "truncated", data that was asked for, all addresses, those in the additional
    section) of an answer; None: nothing came."""
    if data is None:
        return None
    message = dns.message.from_wire(data, ignore_trailing=True)
    asked, owner = dns.rdatatype.from_text(kind), dns.name.from_text(name)
    found = [(rrset.name, rrset.rdtype, rdata.to_text().lower()) for rrset in message.answer
             for rdata in rrset if asked == dns.rdatatype.ANY or rrset.rdtype not in SIGNATURES]
    # A chain does not lead on from a type that is a link of it.
    wanted = {(t, text) for at, t, text in found
              if asked == dns.rdatatype.ANY or t == asked and (asked not in LINKS or at == owner)}
    code = "truncated" if message.flags & dns.flags.TC else dns.rcode.to_text(message.rcode()).lower()
    beside = addresses_in((rrset.rdtype, rdata.to_text()) for rrset in message.additional
                          for rdata in rrset)
    return (code, frozenset(wanted), frozenset(addresses_in((t, text) for _, t, text in found)),
            frozenset(beside))


def same(got, original, zones, kind):
    """Whether a client has got the original answer. One to CNAME may have the code of its target. One
    to ANY holds some of what there is, and may follow a CNAME or not (RFC 8482)."""
    if kind != "ANY":
        return got[1] == original[1] and (got[0] == original[0] or kind == "CNAME" and got[1])
    links = any(record[0] in LINKS for record in got[1] | original[1])
    return (links or got[0] == original[0]) and bool(got[1]) == bool(original[1]) and all(
        record in zones or record[0] in LINKS for record in got[1])


def verdict(data, plain, zones, name, kind):
    """@param data an answer; @param plain without policy; @param zones all there is, from records_of"""
    got, original = effect(data, name, kind), effect(plain, name, kind)
    if original is None or original[0] == "servfail":
        return None
    if got is None:
        return "no answer"
    code, wanted, addresses, beside = got
    if same(got, original, zones, kind):
        return "sinkholed" if beside & SINKS else "passed"
    if addresses & SINKS:
        return "sinkholed" if addresses <= SINKS else "mixed"
    if code != "noerror":
        return code
    if addresses and all(address.startswith(DNS64_PREFIX) for address in addresses):
        return "made"
    return "mixed" if wanted else "nodata"


def records_of(folder):
    """(type, data) of all records in FOLDER/ZONE.zone."""
    loaded = (dns.zone.from_file(str(path), path.stem.replace("root", "."), relativize=False)
              for path in pathlib.Path(folder).glob("*.zone"))
    return {(rdata.rdtype, rdata.to_text().lower())
            for zone in loaded for _, _, rdata in zone.iterate_rdatas()}
