// SPDX-License-Identifier: BSD-3-Clause
// From when to when each of some rows was seen, as bars over one axis. All of it stands in the table, too.
import {el, svg} from "/portal/dom.js";
import {moment, t} from "/portal/text.js";

const BARS_MAX = 40;
const LEAST = 0.6; // of the width, in percent: what was seen once is to be seen here

function axis(first, last) {
	const places = [[0, "start"], [50, "middle"], [100, "end"]];

	return svg("svg", {class: "axis", width: "100%", height: 16},
		places.map(([x, anchor]) => svg("text", {x: `${x}%`, y: 12, "text-anchor": anchor, class: anchor},
			moment(first + (last - first) * x / 100).slice(0, last - first > 3 * 86400 ? 10 : 16))));
}

function bar(row, first, last) {
	const width = last - first;
	const from = Math.min(100 - LEAST, (row.time_first - first) / width * 100);
	const size = Math.max(LEAST, (row.time_last - row.time_first) / width * 100);

	return svg("svg", {class: "stripe", width: "100%", height: 12},
		svg("line", {x1: "0", x2: "100%", y1: 6, y2: 6}),
		svg("rect", {x: `${from.toFixed(2)}%`, width: `${Math.min(size, 100 - from).toFixed(2)}%`, y: 1, height: 10, rx: 2},
			svg("title", {}, `${moment(row.time_first)} – ${moment(row.time_last)}`)));
}

// rows: with time_first and time_last; label(row): text.
export function timeline(rows, label) {
	const shown = [...rows].sort((a, b) => b.time_last - a.time_last).slice(0, BARS_MAX);
	let first = Math.min(...shown.map((row) => row.time_first));
	let last = Math.max(...shown.map((row) => row.time_last));

	if (shown.length === 0)
		return null;
	if (last - first < 60) {
		first -= 1800;
		last += 1800;
	}
	return el("figure", {class: "timeline"},
		el("figcaption", {}, t("timeline.title"), shown.length < rows.length && ` ${t("timeline.part", shown.length)}`),
		el("div", {role: "img", "aria-label": t("timeline.words", shown.length, moment(Math.min(...shown.map((r) => r.time_first))),
			moment(Math.max(...shown.map((r) => r.time_last))))},
			el("div", {class: "line"}, el("span"), axis(first, last)),
			shown.map((row) => el("div", {class: "line"},
				el("span", {class: "what", title: label(row)}, label(row)), bar(row, first, last)))));
}
