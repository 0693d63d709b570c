// SPDX-License-Identifier: BSD-3-Clause
// Tables that are sorted by a click on a column. On small screens CSS shows a row as a card; roles then keep
// telling that it is a table.
import {el, replace} from "/portal/dom.js";
import {t} from "/portal/text.js";

const UPDATE_MS = 200; // rows that come one by one are shown so often

function compare(a, b) {
	if (typeof a === "number" && typeof b === "number")
		return a - b;
	return String(a).localeCompare(String(b), "en", {numeric: true});
}

/**
 * columns: {key, title, value(row) to sort by, cell(row) to show, isNumber}; the first one is the row's head.
 * sort: {key, isDown}; without it rows stay as they come.
 */
export class Table {
	constructor({caption, columns, sort = null, isSortable = true}) {
		this.columns = columns;
		this.sort = sort;
		this.isSortable = isSortable;
		this.rows = [];
		this.nodes = new Map();
		this.timer = 0;
		this.shownAt = 0;
		this.head = el("tr", {role: "row"});
		this.body = el("tbody", {role: "rowgroup"});
		this.caption = el("caption", {}, caption);
		this.node = el("table", {role: "table", class: !isSortable && "plain"}, this.caption, el("thead", {role: "rowgroup"}, this.head), this.body);
		this.headShow();
	}

	headShow() {
		replace(this.head, this.columns.map((column) => {
			const isBy = this.sort?.key === column.key;
			const order = !isBy ? null : this.sort.isDown ? "descending" : "ascending";

			return el("th", {role: "columnheader", scope: "col", class: column.isNumber && "number", "aria-sort": order},
				!this.isSortable ? column.title
					: el("button", {type: "button", class: "sort", onclick: () => this.sortBy(column.key)}, column.title,
						el("span", {"aria-hidden": "true", class: "arrow"},
							!isBy ? "↕" : this.sort.isDown ? "↓" : "↑")));
		}));
	}

	sortBy(key) {
		const isDown = this.sort?.key === key ? !this.sort.isDown : Boolean(this.columns.find((c) => c.key === key).isNumber);
		const at = this.columns.findIndex((c) => c.key === key);

		this.sort = {key, isDown};
		this.headShow();
		this.show();
		this.head.children[at].querySelector("button").focus();
	}

	// Replace all rows.
	set(rows) {
		this.rows = rows;
		this.nodes.clear();
		this.show();
	}

	add(rows) {
		this.rows.push(...rows);
		if (performance.now() - this.shownAt > UPDATE_MS)
			this.show();
		else if (!this.timer)
			this.timer = setTimeout(() => this.show(), UPDATE_MS);
	}

	sorted() {
		const by = this.columns.find((column) => column.key === this.sort?.key);
		const sign = this.sort?.isDown ? -1 : 1;

		return by ? [...this.rows].sort((a, b) => sign * compare(by.value(a), by.value(b))) : this.rows;
	}

	show() {
		clearTimeout(this.timer);
		this.timer = 0;
		this.shownAt = performance.now();
		replace(this.body, this.sorted().map((row) => this.nodes.get(row) ?? this.make(row)));
	}

	make(row) {
		const node = el("tr", {role: "row"}, this.columns.map((column, i) => {
			const props = {"data-label": column.title, class: [column.isNumber && "number", column.class].filter(Boolean).join(" ")};
			const inside = el("div", {class: "cell"}, column.cell ? column.cell(row) : column.value(row));

			return i === 0 ? el("th", {role: "rowheader", scope: "row", ...props}, inside)
				: el("td", {role: "cell", ...props}, inside);
		}));

		this.nodes.set(row, node);
		return node;
	}
}

/* ---- files ---- */

function save(name, type, text) {
	const address = URL.createObjectURL(new Blob([text], {type}));
	const anchor = el("a", {href: address, download: name});

	document.body.append(anchor);
	anchor.click();
	anchor.remove();
	setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// RFC 4180. What a spreadsheet would take for a formula is told to be text.
function csvField(value) {
	const plain = Array.isArray(value) ? value.join(" ") : typeof value === "object" && value ? JSON.stringify(value)
		: String(value ?? "");
	const text = typeof value !== "number" && /^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain;

	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(rows) {
	const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];

	return [names, ...rows.map((row) => names.map((name) => row[name]))]
		.map((line) => line.map(csvField).join(",") + "\r\n").join("");
}

// Buttons that save the rows there are.
export function downloads(name, rows) {
	return el("div", {class: "actions"},
		el("button", {type: "button", onclick: () => save(`${name}.json`, "application/json", JSON.stringify(rows(), null, 1))},
			t("save.json")),
		el("button", {type: "button", onclick: () => save(`${name}.csv`, "text/csv", csv(rows()))}, t("save.csv")));
}
