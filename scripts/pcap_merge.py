#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Take frames out of a capture, and put them back changed: the two ends of scripts/filter-pcap.

    pcap_merge.py split IN FRAMES         write IN's frames as a plain pcap that libpcap reads, and
                                          print the bytes of the largest
    pcap_merge.py merge IN FRAMES OUT     write IN with each frame's bytes replaced

IN is classic pcap of either byte order and either resolution, or pcapng. OUT is IN but for the
bytes of its frames and, where these got shorter or longer, their lengths: every header, time stamp,
option and unknown block stays. Frames that did not come out are not in OUT.

Each frame's number stands in its destination address while it is on its way, so that what comes out
late, changed, or not at all is told apart; nothing on the way looks at it.

Exit codes: 0 done, 1 the frames do not fit IN, 2 IN or FRAMES cannot be read.
"""
import collections
import os
import struct
import sys

LINKTYPE_ETHERNET = 1
# Bytes of the largest mbuf, see [ports] mbuf_size: net_pcap writes frames whole only from one buffer.
# What lies behind them in a longer frame belongs to no IP packet, or to one that is cut short and so
# left alone.
FRAME_MAX = 65407
PCAP_MAGIC = {  # first four bytes: byte order
    b"\xa1\xb2\xc3\xd4": ">", b"\xd4\xc3\xb2\xa1": "<",  # microseconds
    b"\xa1\xb2\x3c\x4d": ">", b"\x4d\x3c\xb2\xa1": "<",  # nanoseconds
}
PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
BLOCK_SECTION, BLOCK_INTERFACE = 0x0A0D0D0A, 1
BLOCK_PACKET_OLD, BLOCK_PACKET_SIMPLE, BLOCK_PACKET = 2, 3, 6
TAG_SIZE = 6  # the destination address
# A frame: where its bytes and its record lie in the capture, and where its two lengths are, captured
# and original. In pcapng the length of the block stands at both ends; a simple packet has one length.
Frame = collections.namedtuple("Frame", "offset size start end lengths order block")
SECTION_MAGIC = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}


class Broken(Exception):
    """A capture that cannot be read; the text says where and why."""


def read_capture(path):
    """Return the capture's bytes and its frames."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:4] in PCAP_MAGIC:
        return data, list(pcap_frames(data, PCAP_MAGIC[data[:4]]))
    if data[:4] == PCAPNG_MAGIC:
        return data, list(pcapng_frames(data))
    raise Broken("neither a pcap nor a pcapng file")


def pcap_frames(data, order):
    if len(data) < 24:
        raise Broken("the file header is cut short")
    # The upper bits of the link type hold a frame check sequence's length, if any.
    check_linktype(struct.unpack_from(order + "I", data, 20)[0] & 0x0FFFFFFF)
    offset, number = 24, 0
    while offset < len(data):
        number += 1
        if len(data) - offset < 16:
            raise Broken(f"the header of frame {number} is cut short")
        size = struct.unpack_from(order + "I", data, offset + 8)[0]
        offset += 16
        if len(data) - offset < size:
            raise Broken(f"frame {number} is cut short")
        yield Frame(offset, size, offset - 16, offset + size, (offset - 8, offset - 4), order, False)
        offset += size


def pcapng_frames(data):
    offset, number, order, snaplens = 0, 0, "<", []
    while offset < len(data):
        if len(data) - offset < 12:
            raise Broken(f"the block at byte {offset} is cut short")
        if data[offset:offset + 4] == PCAPNG_MAGIC:
            order = SECTION_MAGIC.get(data[offset + 8:offset + 12])
            if order is None:
                raise Broken(f"the section at byte {offset} has no byte order")
            snaplens = []
        kind, length = struct.unpack_from(order + "II", data, offset)
        if length < 12 or length % 4 or length > len(data) - offset:
            raise Broken(f"the block at byte {offset} has a length that is not possible")
        body, end = offset + 8, offset + length - 4
        if kind == BLOCK_INTERFACE:
            if end - body < 8:
                raise Broken(f"the interface at byte {offset} is cut short")
            linktype, _, snaplen = struct.unpack_from(order + "HHI", data, body)
            check_linktype(linktype)
            snaplens.append(snaplen)
        elif kind in (BLOCK_PACKET, BLOCK_PACKET_OLD, BLOCK_PACKET_SIMPLE):
            number += 1
            at, size = block_frame(data, order, kind, body, end, snaplens, number)
            lengths = (body,) if kind == BLOCK_PACKET_SIMPLE else (body + 12, body + 16)
            yield Frame(at, size, offset, offset + length, lengths, order, True)
        offset += length


def block_frame(data, order, kind, body, end, snaplens, number):
    """Where the frame of a packet block lies: (offset, size)."""
    head = 4 if kind == BLOCK_PACKET_SIMPLE else 20
    if end - body < head:
        raise Broken(f"the block of frame {number} is cut short")
    if kind == BLOCK_PACKET_SIMPLE:
        interface = 0
        size = struct.unpack_from(order + "I", data, body)[0]
    else:
        size = struct.unpack_from(order + "I", data, body + 12)[0]
        interface = struct.unpack_from(order + ("I" if kind == BLOCK_PACKET else "H"), data, body)[0]
    if interface >= len(snaplens):
        raise Broken(f"frame {number} is of an interface that is not described")
    if kind == BLOCK_PACKET_SIMPLE and snaplens[0]:
        size = min(size, snaplens[0])
    if size > end - body - head:
        raise Broken(f"frame {number} is cut short")
    return body + head, size


def check_linktype(linktype):
    if linktype != LINKTYPE_ETHERNET:
        raise Broken(f"link type {linktype}, expected Ethernet (1)")


def split(source, frames_path):
    data, frames = read_capture(source)
    with open(frames_path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, FRAME_MAX, LINKTYPE_ETHERNET))
        for number, frame in enumerate(frames):
            size = min(frame.size, FRAME_MAX)
            f.write(struct.pack("<IIII", 0, 0, size, size))
            content = data[frame.offset:frame.offset + size]
            f.write(tagged(content, number.to_bytes(TAG_SIZE, "big")))
    print(max((min(frame.size, FRAME_MAX) for frame in frames), default=0))
    return 0


def tagged(content, tag):
    return content if len(content) < TAG_SIZE else tag + content[TAG_SIZE:]


def find_replies(data, frames, changed, replies):
    """Return what came out by the number of the frame that went in."""
    found, small = {}, collections.deque(n for n, frame in enumerate(frames) if frame.size < TAG_SIZE)
    for reply in replies:
        content = changed[reply.offset:reply.offset + reply.size]
        # Those without room for a number keep their order.
        number = int.from_bytes(content[:TAG_SIZE], "big") if reply.size >= TAG_SIZE else \
            small.popleft() if small else len(frames)
        if number >= len(frames) or number in found or (frames[number].size < TAG_SIZE) != (reply.size < TAG_SIZE):
            return None
        offset = frames[number].offset
        found[number] = tagged(content, data[offset:offset + TAG_SIZE])
    return found


def record(data, frame, content):
    """The record of a frame that has other bytes now."""
    head, tail = bytearray(data[frame.start:frame.offset]), data[frame.offset + frame.size:frame.end]
    # What is behind FRAME_MAX was never on its way.
    content += data[frame.offset + FRAME_MAX:frame.offset + frame.size]
    grown = len(content) - frame.size
    if not grown:
        return head + content + tail
    for at in frame.lengths:
        length = struct.unpack_from(frame.order + "I", data, at)[0]
        struct.pack_into(frame.order + "I", head, at - frame.start, length + grown)
    if not frame.block:
        return head + content + tail
    # Bytes are filled up to a multiple of 4; options and the length of the block follow.
    content += bytes(-len(content) % 4)
    tail = data[frame.offset + frame.size + -frame.size % 4:frame.end - 4]
    length = struct.pack(frame.order + "I", len(head) + len(content) + len(tail) + 4)
    head[4:8] = length
    return head + content + tail + length


def merge(source, frames_path, target):
    data, frames = read_capture(source)
    changed, replies = read_capture(frames_path)
    found = find_replies(data, frames, changed, replies)
    if found is None:
        return fail(1, f"{source}: {len(frames)} frames went in, and others came out")
    result, done = bytearray(), 0
    for number, frame in enumerate(frames):
        result += data[done:frame.start]
        if number in found:
            result += record(data, frame, found[number])
        done = frame.end
    result += data[done:]
    try:
        write_whole(target, result)
    except OSError as e:
        return fail(1, f"{target}: {e.strerror}")
    return 0


def write_whole(target, content):
    """Whoever watches a file never sees half of it. Devices, pipes and links stay what they are."""
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb") as f:
            f.write(content)
        return
    whole = os.path.realpath(target)
    part = whole + ".part"
    try:
        with open(part, "wb") as f:
            f.write(content)
        os.replace(part, whole)
    except OSError:
        if os.path.exists(part):
            os.unlink(part)
        raise


def fail(status, text):
    print(f"filter-pcap: {text}", file=sys.stderr)
    return status


def main(arguments):
    usage = {"split": 2, "merge": 3}
    if not arguments or len(arguments) - 1 != usage.get(arguments[0]):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        return globals()[arguments[0]](*arguments[1:])
    except Broken as e:
        return fail(2, f"{arguments[1]}: {e}")
    except OSError as e:
        return fail(2, f"{e.filename}: {e.strerror}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
