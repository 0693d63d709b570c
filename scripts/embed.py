#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Files of the portal as C: embed.py OUT.c FILE... What is written depends on the files alone."""
import hashlib
import os
import sys
import zlib

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def gzip(data):
    """Without name and time."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def array(name, data):
    """As C; compilers read decimals quickest."""
    lines = [",".join(map(str, data[at:at + 40])) for at in range(0, len(data), 40)]
    return f"static const uint8_t {name}[] = {{\n" + ",\n".join(lines) + "};\n"


def main():
    """Write the arrays, and the table of them."""
    out, paths = sys.argv[1], sys.argv[2:]
    arrays, rows = [], []
    for i, path in enumerate(paths):
        with open(path, "rb") as f:
            plain = f.read()
        name = os.path.basename(path)
        etag = hashlib.sha256(plain).hexdigest()[:16]
        packed = gzip(plain)
        arrays += [array(f"plain_{i}", plain), array(f"gzip_{i}", packed)]
        rows.append(f'\t{{"{name}", "{TYPES[os.path.splitext(name)[1]]}", "W/\\"{etag}\\"", plain_{i}, gzip_{i}, '
                    f'{len(plain)}, {len(packed)}}},\n')
    with open(out, "w", encoding="ascii") as f:
        f.write("/* SPDX-License-Identifier: BSD-3-Clause */\n/* Made by scripts/embed.py. */\n#include \"portal.h\"\n\n")
        f.write("\n".join(arrays))
        f.write("\nconst struct portal_file portal_files[] = {\n" + "".join(rows) +
                "\t{NULL, NULL, NULL, NULL, NULL, 0, 0},\n};\n")


main()
