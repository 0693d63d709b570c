#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reports as an operator makes them: a published quarterly report made again from a catalogue and
entered figures, in both languages and all formats.

usage: report_test.py DNSWEIR_REPORT; exits 77 where what reads PDF or schemas is not installed.
"""
import csv
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

try:
    import jsonschema
except ImportError:
    sys.exit(77)
if not shutil.which("pdftotext"):
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.abspath(sys.argv.pop(1))
CATALOGUE = os.path.join(HERE, "catalogue.csv")
TEMPLATE = os.path.join(TOP, "config", "report.example.template")
EPOCH = "1602633600"  # 2020-10-14, Tokyo

# As published: identifier, FQDNs, behaviour, start, end.
STEALS, DOOR = "感染端末からの情報窃取・送信", "バックドアの設置"
MALWARE = [
    ("IIJ-20190701-0001", 1, STEALS, "2019/07/01", "2020/07/22"),
    ("IIJ-20190701-0003", 1, STEALS, "2019/07/01", ""),
    ("IIJ-20190709-0001", 5, DOOR, "2019/07/09", ""),
    ("IIJ-20190920-0001", 3, STEALS, "2019/09/20", ""),
    ("IIJ-20191121-0001", 1, DOOR, "2019/11/21", ""),
    ("IIJ-20200114-0001", 3, STEALS, "2020/01/14", ""),
    ("IIJ-20200221-0001", 1, STEALS, "2020/02/21", ""),
    ("IIJ-20200311-0001", 2, STEALS, "2020/03/10", ""),
    ("IIJ-20200319-0002", 1, STEALS, "2020/03/19", ""),
    ("IIJ-20200414-0001", 1, STEALS, "2020/04/14", ""),
    ("IIJ-20200414-0002", 1, STEALS, "2020/04/14", ""),
    ("IIJ-20200428-0001", 1, DOOR, "2020/04/28", ""),
    ("IIJ-20200515-0001", 1, STEALS, "2020/05/15", ""),
    ("IIJ-20200515-0002", 2, STEALS, "2020/05/15", ""),
    ("IIJ-20200909-0001", 1, STEALS, "2020/09/09", ""),
]
ENGLISH = {STEALS: "Steals and sends data", DOOR: "Installs a backdoor"}
# Percentages as published; numbers of queries that have them.
MONTHS = [
    ("2020-07", "2020 年 7 月", "July 2020", 100017, 24544289188, "0.000407496013569%"),
    ("2020-08", "2020 年 8 月", "August 2020", 100042, 19266323022, "0.000519258396559%"),
    ("2020-09", "2020 年 9 月", "September 2020", 100021, 26685873940, "0.000374808785445%"),
]


def run(*args, status=0, zone="Asia/Tokyo"):
    env = dict(os.environ, TZ=zone, SOURCE_DATE_EPOCH=EPOCH)
    done = subprocess.run([PROGRAM, *args], env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == status, f"{args}: {done.returncode}: {done.stderr}"
    return done.stderr


class Tables(html.parser.HTMLParser):
    """Captions, heads and rows of the tables of a page, and what else is looked at."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.ids, self.links, self.tags, self.texts = [], set(), [], [], []
        self.lang, self.into = None, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.lang = attrs.get("lang") if tag == "html" else self.lang
        self.links += [attrs[k] for k in ("href", "src") if k in attrs]
        if "id" in attrs:
            assert attrs["id"] not in self.ids
            self.ids.add(attrs["id"])
        if tag == "table":
            self.tables.append({"caption": "", "rows": [], "scopes": 0})
        elif tag == "tr":
            self.tables[-1]["rows"].append([])
        elif tag in ("td", "th"):
            self.tables[-1]["rows"][-1].append("")
            self.tables[-1]["scopes"] += "scope" in attrs
        self.into = tag

    def handle_endtag(self, tag):
        self.into = None

    def handle_data(self, data):
        self.texts.append(data)
        if self.into == "caption":
            self.tables[-1]["caption"] += data
        elif self.into in ("td", "th"):
            self.tables[-1]["rows"][-1][-1] += data


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="dnsweir-report.")
        self.addCleanup(shutil.rmtree, self.folder)
        self.totals = self.path("totals.db")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def enter(self, *args, **options):
        return run("enter", "--totals", self.totals, *args, **options)

    def make(self, name, *args, catalogue=CATALOGUE, language="ja", period=None, status=0,
             template=TEMPLATE, zone="Asia/Tokyo"):
        first, last = period or ("2020-07-01", "2020-09-30")
        return run("--from", first, "--to", last, "--totals", self.totals, "--catalogue", catalogue,
                   "--template", template, "--lang", language, "-o", self.path(name), *args,
                   status=status, zone=zone)

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def json(self, *args, **options):
        self.make("report.json", *args, **options)
        made = json.loads(self.text("report.json"))
        with open(os.path.join(TOP, "config", "report.schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft7Validator.check_schema(schema)
        jsonschema.validate(made, schema)
        return made

    def table(self, name, file):
        with open(os.path.join(self.path(name), file), encoding="utf-8", newline="") as stream:
            return list(csv.reader(stream))

    def pdf(self, name, *args):
        return subprocess.run(["pdftotext", *args, self.path(name), "-"], check=True,
                              capture_output=True, text=True).stdout


class Published(Folder):
    """The published report: its period, its malware, its percentages."""

    def setUp(self):
        super().setUp()
        for month, _, _, filtered, responses, _ in MONTHS:
            self.enter("--month", month, "--filtered", str(filtered), "--responses",
                       str(responses), "--note", "counted by resolvers")

    def test_json(self):
        for language in ("ja", "en"):
            made = self.json(language=language)
            self.assertEqual(
                [(m["id"], m["fqdns"], m["behaviour"], m["start"], m["end"])
                 for m in made["malware"]],
                [(i, n, b if language == "ja" else ENGLISH[b], s.replace("/", "-"),
                  e.replace("/", "-") or None) for i, n, b, s, e in MALWARE])
            self.assertEqual(
                [(m["month"], m["filtered"], m["responses"], m["share"]) for m in made["months"]],
                [(m[0], m[3], m[4], m[5]) for m in MONTHS])
            self.assertEqual([(c["day"], c["change"], c["id"]) for c in made["changes"]],
                             [("2020-07-22", "ended", "IIJ-20190701-0001"),
                              ("2020-09-09", "added", "IIJ-20200909-0001")])
            self.assertEqual(made["language"], language)
            self.assertEqual([b["name"] for b in made["behaviours"]],
                             [b if language == "ja" else ENGLISH[b] for b in (STEALS, DOOR)])
            self.assertTrue(all(b["characteristics"] and b["risk"] for b in made["behaviours"]))

    def test_csv(self):
        self.make("tables", "--format", "csv")
        self.assertEqual(self.table("tables", "malware.csv"),
                         [["id", "fqdns", "behaviour", "start", "end"]] +
                         [[i, str(n), b, s.replace("/", "-"), e.replace("/", "-")]
                          for i, n, b, s, e in MALWARE])
        self.assertEqual([[r[0], *r[3:]] for r in self.table("tables", "share.csv")[1:]],
                         [[m[0], str(m[3]), str(m[4]), m[5]] for m in MONTHS])
        self.assertEqual(sorted(os.listdir(self.path("tables"))),
                         ["about.csv", "addresses.csv", "behaviours.csv", "changes.csv",
                          "corrections.csv", "counts.csv", "lost.csv", "malware.csv",
                          "share.csv"])
        self.assertEqual([r[0] for r in self.table("tables", "behaviours.csv")],
                         ["behaviour", STEALS, DOOR])

    def test_html(self):
        for language in ("ja", "en"):
            self.make("report.html", language=language)
            text = self.text("report.html")
            page = Tables(text)
            self.assertEqual(page.lang, language)
            # Table 2 and table 3.
            self.assertEqual(
                page.tables[1]["rows"][1:],
                [[i, str(n), b if language == "ja" else ENGLISH[b],
                  s if language == "ja" else s.replace("/", "-"),
                  e if language == "ja" else e.replace("/", "-")] for i, n, b, s, e in MALWARE])
            self.assertEqual(page.tables[2]["rows"][1:],
                             [[m[1] if language == "ja" else m[2], f"{m[3]:,}", f"{m[4]:,}", m[5]]
                              for m in MONTHS])
            for number, table in enumerate(page.tables):
                start = f"表 {number + 1}" if language == "ja" else f"Table {number + 1}."
                self.assertTrue(table["caption"].startswith(start), table["caption"])
                self.assertGreaterEqual(table["scopes"], len(table["rows"][0]))
            # Nothing comes from elsewhere, and links lead somewhere.
            for link in page.links:
                self.assertTrue(link[0] == "#" and link[1:] in page.ids, link)
            self.assertNotIn("script", page.tags)
            self.assertEqual(page.tags.count("h1"), 1)
            self.assertEqual(page.tags.count("h2"), 8)
            # No word of the other language is left in ours.
            if language == "en":
                self.assertIsNone(re.search("[ぁ-んァ-ヶ]", "".join(page.texts)))
            charts = [xml.etree.ElementTree.fromstring(c)
                      for c in re.findall("<svg.*?</svg>", text, re.S)]
            for chart in charts:
                self.assertEqual(chart.get("role"), "img")
                self.assertTrue(chart.find("title").text)
            # Bars as wide as the shares are large, and the shares in words for who cannot see them.
            widths = [float(r.get("width")) for r in charts[0].findall("rect")]
            for m, width in zip(MONTHS, widths, strict=True):
                self.assertIn(m[5], charts[0].find("desc").text)
                self.assertAlmostEqual(width / max(widths), m[3] / m[4] * MONTHS[1][4] / MONTHS[1][3],
                                       places=3)

    def test_pdf(self):
        for language in ("ja", "en"):
            self.make("report.pdf", language=language)
            lines = [" ".join(line.split()) for line in self.pdf("report.pdf", "-layout").split("\n")]
            for i, n, b, s, e in MALWARE:
                row = f"{i} {n} {b} {s} {e}"
                if language == "en":
                    row = f"{i} {n} {ENGLISH[b]} {s} {e}".replace("/", "-")
                self.assertIn(row.strip(), lines)
            for m in MONTHS:
                # Text tools may see no blank between digits and CJK characters.
                row = f"{m[1] if language == 'ja' else m[2]} {m[3]:,} {m[4]:,} {m[5]}"
                self.assertIn(row.replace(" ", ""), [line.replace(" ", "") for line in lines])
            fonts = subprocess.run(["pdffonts", self.path("report.pdf")], check=True,
                                   capture_output=True, text=True).stdout.split("\n")[2:-1]
            self.assertTrue(fonts)
            for font in fonts:
                # Embedded, a subset, with a map to Unicode.
                self.assertRegex(font, r"\byes yes yes\b")
            info = subprocess.run(["pdfinfo", self.path("report.pdf")], check=True,
                                  capture_output=True, text=True).stdout
            pages = int(re.search(r"^Pages:\s+(\d+)", info, re.M).group(1))
            self.assertRegex(info, r"Page size:.*A4")
            self.assertIn("2020", re.search(r"^Title:.*", info, re.M).group(0))
            for page in range(1, pages + 1):
                lines = self.pdf("report.pdf", "-f", str(page), "-l", str(page)).split("\n")
                self.assertIn(f"{page}/{pages}", [line.replace(" ", "") for line in lines])
            with open(self.path("report.pdf"), "rb") as file:
                data = file.read()
            # Seven sections and their parts.
            self.assertIn(b"/Outlines", data)
            self.assertGreaterEqual(data.count(b"/Title"), 8)

    def test_twice_is_the_same(self):
        for name in ("report.html", "report.json", "report.pdf"):
            self.make(name)
            with open(self.path(name), "rb") as file:
                first = file.read()
            self.make(name, zone="America/New_York")
            with open(self.path(name), "rb") as file:
                self.assertEqual(first, file.read(), name)

    def test_small_numbers_are_hidden_everywhere(self):
        for month, count in (("2020-07", "3"), ("2020-08", "17"), ("2020-09", "2")):
            self.enter("--month", month, "--filtered", count, "--id", "IIJ-20190701-0003", "--note",
                       f"correction of {count} at once")
        self.enter("--month", "2020-07", "--filtered", "7000", "--id", "IIJ-20200114-0001",
                   "--note", "x")
        made = self.json("--hide-below", "10")
        counts = {c["id"]: c for c in made["counts"]}
        self.assertEqual(counts["IIJ-20190701-0003"]["months"], ["<10", "withheld", "<10"])
        self.assertEqual(counts["IIJ-20190701-0003"]["total"], "withheld")
        # Shown are the sums, and no correction.
        self.assertEqual([m["filtered"] for m in made["months"]], [107020, 100059, 100023])
        self.assertEqual({c["filtered"] for c in made["corrections"]}, {"withheld"})
        for name in ("report.html", "report.pdf"):
            self.make(name, "--hide-below", "10")
        page = Tables(self.text("report.html"))
        row = next(r for r in page.tables[3]["rows"] if r[0] == "IIJ-20190701-0003")
        self.assertEqual(row, ["IIJ-20190701-0003", "<10", "–", "<10", "–"])
        self.assertIn("<10", self.pdf("report.pdf"))
        self.make("tables", "--hide-below", "10", "--format", "csv")
        self.assertIn(["IIJ-20190701-0003", "<10", "withheld", "<10", "withheld"],
                      self.table("tables", "counts.csv"))
        self.assertIn("at least 3", self.make("x.json", "--hide-below", "2", status=2))


class Use(Folder):
    def test_files_of_other_boxes_are_taken(self):
        other = self.path("other.db")
        run("enter", "--totals", other, "--month", "2020-07", "--responses", "5", "--note", "x")
        self.enter("--month", "2020-07", "--responses", "1", "--filtered", "1", "--note", "y")
        run("import", "--totals", self.totals, other, other)
        self.assertEqual(self.json()["months"][0]["responses"], 1)
        foreign = self.path("foreign.db")
        run("enter", "--totals", foreign, "--zone", "Europe/Paris", "--month", "2020-07",
            "--responses", "5", "--note", "x")
        self.assertIn("Europe/Paris", run("import", "--totals", self.totals, foreign, status=2))

    def test_days_are_those_of_the_zone_of_the_file(self):
        self.enter("--zone", "Asia/Kolkata", "--month", "2020-07", "--responses", "7", "--note",
                   "x", zone="UTC")
        made = self.json(zone="America/New_York")
        self.assertEqual(made["period"]["zone"], "Asia/Kolkata")
        self.assertEqual(made["months"][0]["responses"], 7)
        # The file knows its zone.
        self.enter("--month", "2020-08", "--responses", "8", "--note", "x", zone="UTC")
        self.assertEqual(self.json()["months"][1]["responses"], 8)
        self.assertIn("expected Asia/Kolkata", self.enter(
            "--zone", "UTC", "--month", "2020-08", "--responses", "8", "--note", "x", status=2))

    def test_long_tables_go_on_over_pages(self):
        ids = [f"EX-{n:04}" for n in range(200)]
        catalogue = self.write("long.csv", "id,fqdn,behaviour,start,end\n" + "".join(
            f"{i},{i.lower()}.example,A very long behaviour that takes more than one line,"
            "2020-01-01,\n" for i in ids))
        self.enter("--month", "2020-07", "--responses", "7", "--note", "x")
        self.make("report.pdf", catalogue=catalogue, language="en")
        text = self.pdf("report.pdf", "-layout")
        self.assertGreater(text.count("Table 2. Malware that was filtered (continued)"), 3)
        for i in ids:
            self.assertEqual(len(re.findall(rf"^\s*{i}\s+1 ", text, re.M)), 1, i)

    def test_a_font_without_the_characters_is_an_error(self):
        fonts = "/usr/share/fonts/truetype/dejavu"
        if not os.path.isdir(fonts):
            self.skipTest("no fonts without Japanese")
        conf = self.write("fonts.conf", f"<fontconfig><dir>{fonts}</dir><cachedir>{self.folder}"
                          "</cachedir></fontconfig>")
        self.enter("--month", "2020-07", "--responses", "7", "--note", "x")
        os.environ["FONTCONFIG_FILE"] = conf
        self.addCleanup(os.environ.pop, "FONTCONFIG_FILE")
        self.assertIn("expected fonts with all characters", self.make("report.pdf", status=1))
        self.assertFalse(os.path.exists(self.path("report.pdf")))
        self.make("report.pdf", language="en")

    def test_a_full_disk_is_an_error(self):
        self.enter("--month", "2020-07", "--responses", "7", "--note", "x")
        for name in ("pdf", "html", "json"):
            self.assertIn("No space left", self.make("/dev/full", "--format", name, status=1))

    def test_words_that_mean_something_elsewhere(self):
        catalogue = self.write("odd.csv", 'id,fqdn,behaviour,start,end\n'
                               '"<b>&""\', 1",a.example,"=1+1, <script>",2020-01-01,\n')
        self.enter("--month", "2020-07", "--responses", "7", "--note", 'a "note", <i>')
        self.make("report.html", catalogue=catalogue)
        page = Tables(self.text("report.html"))
        self.assertEqual(page.tables[1]["rows"][1][0], '<b>&"\', 1')
        self.assertNotIn("script", page.tags)
        self.make("tables", "--format", "csv", catalogue=catalogue)
        self.assertEqual(self.table("tables", "malware.csv")[1][:3],
                         ['<b>&"\', 1', "1", "=1+1, <script>"])
        self.assertEqual(self.json(catalogue=catalogue)["malware"][0]["id"], '<b>&"\', 1')
        self.make("report.pdf", catalogue=catalogue)

    def test_malware_of_the_catalogue_without_a_response(self):
        self.enter("--month", "2020-07", "--responses", "7", "--note", "x")
        made = self.json("--addresses", self.write("a.csv", "id,addresses\nIIJ-20190709-0001,4\n"))
        self.assertEqual(len(made["counts"]), 15)
        self.assertEqual(made["addresses"], [{"id": "IIJ-20190709-0001", "addresses": 4}])
        self.assertEqual(made["months"][0]["share"], "0.000000000000000%")
        self.assertIsNone(made["months"][1]["share"])
        for name in ("report.html", "report.pdf"):
            self.make(name, period=("2021-01-01", "2021-01-31"))


class Errors(Folder):
    def fails(self, words, *args, status=2):
        said = run(*args, status=status)
        self.assertIn(words, said)
        self.assertRegex(said, r"^dnsweir-report: [^\n]*\n$")

    def setUp(self):
        super().setUp()
        self.enter("--month", "2020-07", "--responses", "7", "--note", "x")
        self.good = ["--from", "2020-07-01", "--to", "2020-07-31", "--totals", self.totals,
                     "--catalogue", CATALOGUE, "--template", TEMPLATE, "-o", self.path("r.json")]

    def with_value(self, option, value):
        args = list(self.good)
        args[args.index(option) + 1] = value
        return args

    def test_usage(self):
        run(*self.good)
        self.fails("expected --from and --to")
        self.fails("expected enter, import", "frobnicate")
        self.fails("expected a day YYYY-MM-DD", *self.with_value("--from", "2020-7-1"))
        self.fails("not before --from", *self.with_value("--to", "2020-06-30"))
        self.fails("ja or en", *self.good, "--lang", "fr")
        self.fails("pdf, html, csv or json", *self.good, "--format", "docx")
        self.fails("expected --format", *self.with_value("-o", self.path("report")))
        self.fails("unknown option", *self.good, "--frobnicate")
        self.fails("--month: no option of a report", *self.good, "--month", "2020-07")
        self.fails("expected a value behind it", *self.good, "--lang")
        self.fails("expected --template", *self.good[:8], "-o", self.path("r.html"))

    def test_files(self):
        self.fails("No such file", *self.with_value("--totals", self.path("none.db")))
        self.assertFalse(os.path.exists(self.path("none.db")))
        self.fails("expected a file of totals", *self.with_value("--totals", CATALOGUE))
        self.fails("No such file", *self.with_value("--catalogue", self.path("none.csv")))
        bad = self.write("bad.csv", "id,fqdn,behaviour,start,end\nA,a.example,x,2020-01-32,\n")
        self.fails("bad.csv:2: expected a start date", *self.with_value("--catalogue", bad))
        bad = self.write("bad.template", "[operator]\nname.en = X\n[oops]\n")
        self.fails("bad.template:3: expected [document]", *self.with_value("--template", bad))
        self.fails("No such file", *self.with_value("-o", self.path("none/r.json")), status=1)

    def test_an_old_report_is_not_lost(self):
        page = self.write("r.html", "old")
        nameless = self.write("n.template", "[operator]\nname.ja = X\n")
        args = self.with_value("-o", page)
        args[args.index("--template") + 1] = nameless
        self.fails("expected name.en in [operator]", *args)
        self.assertEqual(self.text("r.html"), "old")
        self.assertEqual(sorted(os.listdir(self.folder))[:2], ["n.template", "r.html"])

    def test_enter(self):
        self.fails("expected --totals, --month and --note", "enter", "--totals", self.totals)
        self.fails("expected --responses or --filtered", "enter", "--totals", self.totals,
                   "--month", "2020-07", "--note", "x")
        self.fails("a month YYYY-MM", "enter", "--totals", self.totals, "--month", "2020-13",
                   "--note", "x", "--responses", "1")
        self.fails("expected a number", "enter", "--totals", self.totals, "--month", "2020-07",
                   "--note", "x", "--responses", "1k")
        self.fails("without control characters", "enter", "--totals", self.totals, "--month",
                   "2020-07", "--note", "x\ny", "--responses", "1")
        self.fails("time zone of this system", "enter", "--totals", self.path("new.db"), "--month",
                   "2020-07", "--note", "x", "--responses", "1", "--zone", "Asia/Nowhere")
        self.assertFalse(os.path.exists(self.path("new.db")))
        # Taken away what was too much; what contradicts itself is no report.
        self.enter("--month", "2020-07", "--responses", "-2", "--note", "x")
        self.assertEqual(self.json()["months"][0]["responses"], 5)
        self.enter("--month", "2020-07", "--filtered", "6", "--note", "x")
        self.fails("expected at most as many filtered responses as responses", *self.good)


if __name__ == "__main__":
    unittest.main()
