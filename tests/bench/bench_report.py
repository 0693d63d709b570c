# SPDX-License-Identifier: BSD-3-Clause
"""Rows of results: when one may be reported, the text table, JSON, and the plot."""
import json
import math
import statistics

SPREAD_MAX = 0.30


def spread(series):
    """What the middle four fifths spread over, in parts of the median."""
    middle = statistics.median(series)
    if not middle:
        return math.inf
    if len(series) < 2:
        return 0.0
    tenths = statistics.quantiles(series, n=10, method="inclusive")
    return (tenths[-1] - tenths[0]) / middle


class Row:
    """ours against peer, both series in the order they were measured. Without a peer the figure
    itself is held against wanted and aim. @p least: more is better."""

    def __init__(self, what, ours, peer, unit, wanted=None, aim=None, least=True):
        self.what, self.ours, self.peer, self.unit = what, ours, peer, unit
        self.wanted, self.aim, self.least = wanted, aim, least
        self.spread = spread(self.ratios if peer else ours)

    @property
    def ratios(self):
        """Of pairs: what slows both sides of one down is in none of them."""
        return [a / b for a, b in zip(self.ours, self.peer)]

    @property
    def reported(self):
        return self.spread <= SPREAD_MAX

    @property
    def result(self):
        if not self.peer:
            return statistics.median(self.ours)
        return statistics.median(self.ratios)

    def reaches(self, bar):
        return self.result >= bar if self.least else self.result <= bar

    @property
    def state(self):
        if not self.reported:
            return f"not reported: spread {self.spread:.0%}"
        if self.wanted is None:
            return "-"
        if not self.reaches(self.wanted):
            return "short"
        return "ok, aim" if self.reaches(self.aim) else "ok"

    def cells(self):
        if not self.reported:
            return [self.what, "-", "-", "-", bar(self.wanted), bar(self.aim), self.state]
        peer = statistics.median(self.peer) if self.peer else None
        return [self.what, f"{number(statistics.median(self.ours))} {self.unit}",
                "-" if peer is None else f"{number(peer)} {self.unit}",
                f"{self.result:.3f}" if self.peer else "-", bar(self.wanted), bar(self.aim),
                self.state]

    def json(self):
        return {"row": self.what, "unit": self.unit, "ours": self.ours, "peer": self.peer,
                "result": self.result if self.reported else None, "spread": self.spread,
                "wanted": self.wanted, "aim": self.aim, "more_is_better": self.least,
                "state": self.state}


def number(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def bar(value):
    return "-" if value is None else f"{value:.3g}"


def table(rows):
    lines = [["row", "ours", "peer", "ratio", "wanted", "aim", ""]] + [r.cells() for r in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(7)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in lines)


def write_json(path, rows, about, raw):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"about": about, "rows": [row.json() for row in rows], "raw": raw}, file,
                  indent=1)
        file.write("\n")


WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 400, 70, 60, 40, 130
COLOURS = ["#0b5394", "#b45f06", "#38761d", "#741b47"]


def ticks(low, high):
    return [10.0 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def plot(path, title, x_title, y_title, curves):
    """Both axes logarithmic. @p curves: {name: [(x, y), ...]}"""
    points = [p for curve in curves.values() for p in curve]
    x_ticks = ticks(min(p[0] for p in points), max(p[0] for p in points))
    y_ticks = ticks(min(p[1] for p in points), max(p[1] for p in points))

    def place(value, marks, start, end):
        low, high = math.log10(marks[0]), math.log10(marks[-1])
        return start + (math.log10(value) - low) / ((high - low) or 1) * (end - start)

    def x_at(value):
        return place(value, x_ticks, LEFT, WIDTH - RIGHT)

    def y_at(value):
        return place(value, y_ticks, HEIGHT - BOTTOM, TOP)

    def text(x, y, words, more=""):
        return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{words}</text>'

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           text(LEFT, 22, title, 'font-size="14"'),
           text(LEFT, HEIGHT - 14, x_title), text(8, TOP - 8, y_title)]
    for tick in x_ticks:
        out.append(f'<line x1="{x_at(tick):.1f}" y1="{TOP}" x2="{x_at(tick):.1f}" '
                   f'y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        out.append(text(x_at(tick), HEIGHT - BOTTOM + 18, f"{tick:,.0f}", 'text-anchor="middle"'))
    for tick in y_ticks:
        out.append(f'<line x1="{LEFT}" y1="{y_at(tick):.1f}" x2="{WIDTH - RIGHT}" '
                   f'y2="{y_at(tick):.1f}" stroke="#ddd"/>')
        out.append(text(LEFT - 6, y_at(tick) + 4, f"{tick:g}", 'text-anchor="end"'))
    for (name, curve), colour in zip(curves.items(), COLOURS):
        line = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in curve)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x_at(x):.1f}" cy="{y_at(y):.1f}" r="3" fill="{colour}"/>'
                for x, y in curve]
        out.append(text(x_at(curve[-1][0]) + 8, y_at(curve[-1][1]) + 4, name, f'fill="{colour}"'))
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out + ["</svg>"]) + "\n")
