#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Make doc/man/dnsweir.ini.5 of what `dnsweir --print-config` writes:

    dnsweir --print-config | scripts/config_man.py >doc/man/dnsweir.ini.5

A page in mdoc(7), without anything that is not in the tables of keys of lib/conf.
"""
import re
import sys

HEAD = r""".\" SPDX-License-Identifier: BSD-3-Clause
.\" Made by scripts/config_man.py.
.Dd November 22, 2026
.Dt DNSWEIR.INI 5
.Os
.Sh NAME
.Nm dnsweir.ini
.Nd configuration of dnsweir
.Sh DESCRIPTION
.Nm
is read by
.Xr dnsweir 8
at its start, and parts of it again on SIGHUP.
A line is
.Ql key = value ,
below the name of its section in square brackets.
Comments start with
.Ql \&;
or
.Ql # ,
except in a value in quotes; a line that ends in a backslash goes on in the next.
Lists of values are separated by blanks or commas.
Names of sections and keys may be in letters of any case.
What is not known, or has a bad value, is an error.
"""

TAIL = r""".Sh FILES
.Bl -tag -width Ds
.It Pa /etc/dnsweir/dnsweir.ini
The usual place.
.El
.Sh SEE ALSO
.Xr dnsweir-list 1 ,
.Xr dnsweir-shell 1 ,
.Xr dnsweir 8
"""


def roff(text):
    """Words that roff takes for nothing else."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def sentences(lines):
    """A sentence a line, as roff wants it."""
    return [roff(s) for s in re.split(r"(?<=[.:]) (?=[A-Z])", " ".join(lines))]


def page(config):
    out, about, opened = [HEAD], [], False
    # The head of the file is about its form.
    for line in config.split("\n\n", 1)[1].splitlines():
        section = re.fullmatch(r"#?\[(\w+)( \w+)?\]", line)
        key = re.fullmatch(r"#(\w+) =(.*)", line)
        if section:
            if opened:
                out.append(".El\n")
            name = section[1] + (" NAME" if section[2] else "")
            out.append(f".Sh SECTION [{name}]\n" + "\n".join(sentences(about)) + "\n.Bl -tag -width Ds\n")
            opened, about = True, []
        elif key:
            value = key[2].strip()
            out.append(f".It Cm {key[1]}" + (f" = Ar {roff(value)}" if value else "") + "\n")
            out.append("\n".join(sentences(about)) + "\n")
            about = []
        elif line:
            about.append(line.lstrip("# "))
    out.append(".El\n")
    return "".join(out) + TAIL


if __name__ == "__main__":
    sys.stdout.write(page(sys.stdin.read()))
