// SPDX-License-Identifier: BSD-3-Clause
// Tables that are sorted by a click on a column. On small screens CSS shows a row as a card; roles then keep
// telling that it is a table.
import {copier} from "/portal/command.js";
import {el, replace} from "/portal/dom.js";
import {number, t} from "/portal/text.js";

const UPDATE_MS = 200; // rows that come one by one are shown so often
const STEP = 1000; // rows that are drawn; the others wait for a button, so that the page stays quick
const collator = new Intl.Collator("en", {numeric: true});

function compare(a, b) {
	if (typeof a === "number" && typeof b === "number")
		return a - b;
	return collator.compare(String(a), String(b));
}

// What a spreadsheet would take for a formula is told to be text.
function noFormula(text) {
	return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

/**
 * columns: {key, title, value(row) to sort by, cell(row) to show, text(row) to copy where
 * that is not all of it, isNumber, isPlain: not sorted by}; the first one is the row's head.
 * sort: {key, isDown}; without it rows stay as they come.
 */
export class Table {
	constructor({caption, columns, sort = null, isSortable = true}) {
		this.columns = columns;
		this.sort = sort;
		this.isSortable = isSortable;
		this.rows = [];
		this.nodes = new Map(); // of the rows that are drawn
		this.most = STEP;
		this.timer = 0;
		this.shownAt = 0;
		this.head = el("tr", {role: "row"});
		this.body = el("tbody", {role: "rowgroup"});
		this.caption = el("caption", {}, caption);
		this.rest = el("div", {class: "rest", hidden: true});
		this.node = el("div", {}, el("table", {role: "table", class: !isSortable && "plain"}, this.caption,
			el("thead", {role: "rowgroup"}, this.head), this.body), this.rest);
		this.headShow();
	}

	headShow() {
		replace(this.head, this.columns.map((column) => {
			const isBy = this.sort?.key === column.key;
			const order = !isBy ? null : this.sort.isDown ? "descending" : "ascending";

			return el("th", {role: "columnheader", scope: "col", class: column.isNumber && "number", "aria-sort": order},
				!this.isSortable || column.isPlain ? column.title
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

	// Replace all rows. What is drawn of those that stay is left as it is.
	set(rows) {
		this.rows = rows;
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

		return by ? this.rows.map((row) => [by.value(row), row]).sort((a, b) => sign * compare(a[0], b[0])).map(([, row]) => row) : this.rows;
	}

	show() {
		clearTimeout(this.timer);
		this.timer = 0;
		this.shownAt = performance.now();
		const rows = this.sorted();
		const drawn = new Map(rows.slice(0, this.most).map((row) => [row, this.nodes.get(row) ?? this.make(row)]));
		let at = this.body.firstChild;

		// Who stands on a row stands there still when others come before it.
		for (const node of drawn.values())
			if (node === at)
				at = at.nextSibling;
			else
				this.body.insertBefore(node, at);
		while (at) {
			const next = at.nextSibling;

			at.remove();
			at = next;
		}
		this.nodes = drawn;
		this.restShow(rows.length);
	}

	restShow(n) {
		this.rest.hidden = n <= this.most;
		if (!this.rest.hidden)
			replace(this.rest, el("p", {}, t("rows.drawn", number(this.most), number(n))),
				el("button", {type: "button", onclick: () => {
					const next = this.body.children.length;

					this.most += STEP;
					this.show();
					// The button may be gone; reading goes on at the first new row.
					this.body.children[next]?.querySelector("a, button")?.focus();
				}}, t("rows.further", number(Math.min(STEP, n - this.most)))));
	}

	// What is shown of all rows, as a spreadsheet takes it.
	text() {
		const cell = (column, row) => {
			if (column.text)
				return noFormula(column.text(row).replace(/\s+/g, " "));
			const node = el("div", {}, column.cell ? column.cell(row) : column.value(row));
			const parts = node.querySelector(":scope > div") ? [...node.children] : [node];

			return noFormula(parts.map((part) => part.textContent).join(" ").replace(/\s+/g, " ").trim());
		};

		return [this.columns.map((column) => column.title), ...this.sorted().map((row) => this.columns.map((column) => cell(column, row)))]
			.map((line) => line.join("\t") + "\n").join("");
	}

	make(row) {
		return el("tr", {role: "row"}, this.columns.map((column, i) => {
			const props = {"data-label": column.title, class: [column.isNumber && "number", column.class].filter(Boolean).join(" ")};
			const inside = el("div", {class: "cell"}, column.cell ? column.cell(row) : column.value(row));

			return i === 0 ? el("th", {role: "rowheader", scope: "row", ...props}, inside)
				: el("td", {role: "cell", ...props}, inside);
		}));
	}
}

/* ---- files ---- */

export function save(name, blob) {
	const address = URL.createObjectURL(blob);
	const anchor = el("a", {href: address, download: name});

	document.body.append(anchor);
	anchor.click();
	anchor.remove();
	setTimeout(() => URL.revokeObjectURL(address), 60000);
}

// RFC 4180.
function csvField(value) {
	const plain = Array.isArray(value) ? value.join(" ") : typeof value === "object" && value ? JSON.stringify(value)
		: String(value ?? "");
	const text = typeof value === "number" ? plain : noFormula(plain);

	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(rows) {
	const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];

	return [names, ...rows.map((row) => names.map((name) => row[name]))]
		.map((line) => line.map(csvField).join(",") + "\r\n").join("");
}

const FORMS = {
	JSON: ["json", "application/json", (rows) => JSON.stringify(rows, null, 1)],
	NDJSON: ["ndjson", "application/x-ndjson", (rows) => rows.map((row) => JSON.stringify(row) + "\n").join("")],
	CSV: ["csv", "text/csv", csv],
};

// Buttons that copy what is shown of a table, and save its rows as the API has them.
export function downloads(name, table) {
	return el("div", {class: "actions", role: "group", "aria-label": t("save")},
		copier(() => table.text(), t("copy"), t("copy.rows")),
		Object.entries(FORMS).map(([form, [ending, type, write]]) =>
			el("button", {type: "button", "aria-label": t("save.as", form), title: t("save.as", form),
				onclick: () => save(`${name}.${ending}`, new Blob([write(table.sorted())], {type}))}, form)));
}
