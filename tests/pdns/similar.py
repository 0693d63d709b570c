#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What `dnsweir-collect pdns similar` finds, held against dnstwist: similar.py PROGRAM

For 50 brands, names that dnstwist lists are planted in a dataset among others that are like none of
the brands. All of the first must be found, of the others none that dnstwist does not list either.
Prints TAP; skipped where dnstwist is not installed.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

PROGRAM = sys.argv[1]
PLANTED = int(sys.argv[2]) if len(sys.argv) > 2 else 300  # of each brand's names; 0: all
WORDS = ["login", "secure", "support", "account", "verify"]
BRANDS = """
    adobe.com airbnb.com alibaba.com allegro.pl amazon.co.jp amazon.co.uk apple.com baidu.com bing.com
    binance.com bmw.de booking.com canva.com chase.com cisco.com citibank.com coca-cola.com dell.com
    discord.com docomo.co.jp dropbox.com ebay.com etsy.com facebook.com fedex.com github.com gmail.com
    google.com hsbc.co.uk hulu.com ikea.com zoom.us instagram.com linkedin.com microsoft.com
    mercari.com netflix.com nintendo.co.jp nordea.fi orange.fr oracle.com paypal.com rakuten.co.jp
    reddit.com roblox.com spotify.com t-mobile.com twitter.com wikipedia.org x-rite.com""".split()


def lists(brand, words):
    """All that dnstwist makes of a brand, in A-labels."""
    done = subprocess.run(["dnstwist", "--format", "list", "--dictionary", words, "--tld", words + ".tld", brand],
                          capture_output=True, text=True, timeout=120, check=True)
    return set(done.stdout.split()) - {brand}


def others(dice):
    """Names like no brand's: letters by chance."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    for _ in range(20000):
        yield "".join(dice.choice(letters) for _ in range(dice.randint(9, 16))) + dice.choice([".com", ".co.jp"])


def run(*words, status=0):
    done = subprocess.run([PROGRAM, "pdns", *words], capture_output=True, text=True, timeout=300)
    if done.returncode != status:
        raise SystemExit(f"Bail out! {words[:2]}: exit {done.returncode}, {done.stderr}")
    return done.stdout


def plant(folder, path, names):
    with open(path, "w", encoding="utf-8") as f:
        for name in names:
            json.dump({"rrname": name + ".", "rrtype": "A", "rdata": "192.0.2.1", "time_first": 1700000000,
                       "time_last": 1700000100, "count": 3}, f)
            f.write("\n")
    run("import", "-D", folder, path)


def compare(top):
    dice, words, folder = random.Random(20), os.path.join(top, "words"), os.path.join(top, "pdns")
    with open(words, "w", encoding="utf-8") as f:
        f.write("\n".join(WORDS) + "\n")
    with open(words + ".tld", "w", encoding="utf-8") as f:
        f.write("com\nnet\norg\nxyz\nco.uk\n")
    told = {brand: lists(brand, words) for brand in BRANDS}
    planted = set(others(dice))
    for names in told.values():
        names = sorted(names)
        planted.update(dice.sample(names, min(PLANTED, len(names))) if PLANTED else names)
    strangers = planted - set().union(*told.values())
    plant(folder, os.path.join(top, "names.cof"), sorted(planted | set(BRANDS)))

    found = {brand: {} for brand in BRANDS}
    for line in run("similar", "-D", folder, "--words", words, *BRANDS).splitlines():
        row = json.loads(line)
        found[row["of"]][row["name"]] = row
    missed = [(brand, name) for brand in BRANDS for name in sorted(told[brand] & planted)
              if name not in found[brand]]
    wrong = [(brand, name) for brand in BRANDS for name in sorted(set(found[brand]) & strangers)]
    common = sum(len(told[brand] & planted) for brand in BRANDS)
    for brand, name in missed[:40]:
        print(f"# {brand}: {name} is not found")
    for brand, name in wrong[:10]:
        print(f"# {brand}: {name} is like nothing of it")
    print(f"# {len(BRANDS)} brands, {common} planted names that dnstwist lists, {len(missed)} missed; "
          f"{len(strangers)} others, {len(wrong)} found; "
          f"{sum(map(len, found.values()))} found in all")
    print(f"{'not ok' if missed or not common else 'ok'} 1 - what dnstwist would find is found")
    print(f"{'not ok' if wrong else 'ok'} 2 - what is like no brand is not")
    print("1..2")
    return 1 if missed or wrong or not common else 0


def main():
    if len(BRANDS) != 50:
        raise SystemExit(f"Bail out! {len(BRANDS)} brands")
    if not shutil.which("dnstwist"):
        print("1..0 # SKIP dnstwist is not installed")
        return 0
    with tempfile.TemporaryDirectory() as top:
        return compare(top)


sys.exit(main())
