// SPDX-License-Identifier: BSD-3-Clause
// A small line of how a number went, with the number beside it for those who do not see the line.
import {el, svg} from "/portal/dom.js";
import {rate} from "/portal/text.js";

const WIDTH = 120, HEIGHT = 30;

function line(values) {
	const top = Math.max(...values, 1e-9);
	const step = WIDTH / Math.max(1, values.length - 1);

	return values.map((v, i) => `${(i * step).toFixed(1)},${(HEIGHT - 2 - v / top * (HEIGHT - 4)).toFixed(1)}`).join(" ");
}

// values: oldest first; unit: text behind the last of them.
export function spark(title, values, unit) {
	return el("div", {class: "spark"},
		el("dt", {}, title),
		el("dd", {}, el("strong", {}, values.length ? rate(values.at(-1)) : "–"), " ", el("span", {class: "unit"}, unit)),
		el("dd", {class: "picture", "aria-hidden": "true"},
			svg("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none"},
				svg("line", {class: "floor", x1: 0, x2: WIDTH, y1: HEIGHT - 1, y2: HEIGHT - 1}),
				values.length > 1 && svg("polyline", {points: line(values)}))));
}
