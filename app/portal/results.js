// SPDX-License-Identifier: BSD-3-Clause
// Rows of an answer, as they come: a table, what went wrong, pages, files.
import {lines, Refusal} from "/portal/api.js";
import {commandOf} from "/portal/command.js";
import {el, replace} from "/portal/dom.js";
import {downloads, Table} from "/portal/table.js";
import {moment, number, t} from "/portal/text.js";

// What went wrong, so that it is read out at once.
export function fault(error) {
	if (!(error instanceof Refusal))
		throw error;
	// A key that was good is good no more: the page leads to its door.
	if (error.status === 401)
		dispatchEvent(new CustomEvent("refused", {detail: error}));
	return el("div", {class: "fault", role: "alert"}, el("p", {}, error.words()),
		error.message && el("p", {class: "detail"}, t("error.said"), " ", el("span", {lang: "en"}, error.message)));
}

export function timeCell(seconds) {
	const text = moment(seconds);

	return text ? el("time", {datetime: `${text.replace(" ", "T")}Z`}, text) : String(seconds);
}

// Columns that many tables have.
export const columns = {
	first: () => ({key: "first", title: t("column.first"), isNumber: true, value: (r) => r.time_first,
		cell: (r) => timeCell(r.time_first)}),
	last: () => ({key: "last", title: t("column.last"), isNumber: true, value: (r) => r.time_last,
		cell: (r) => timeCell(r.time_last)}),
	count: () => ({key: "count", title: t("column.count"), isNumber: true, value: (r) => r.count, cell: (r) => number(r.count)}),
};

/**
 * path, params: what is asked. table: options of the Table. file: name of files, without what it ends with.
 * isRow(object): false: it is the end of a page, with its cursor. most: rows that were asked for, where no such
 * end tells that there are more. keep(row): whether to show it.
 * done(rows): called when a page is there.
 */
export class Results {
	constructor({path, params, table, file, signal, isRow = () => true, most = Infinity, keep = () => true, done = () => {}}) {
		Object.assign(this, {path, params, signal, isRow, most, keep, done});
		this.table = new Table(table);
		this.said = el("p", {role: "status", class: "said"});
		this.extra = el("div");
		this.wrong = el("div");
		this.more = el("button", {type: "button", class: "primary", hidden: true, onclick: () => this.load()}, t("more"));
		this.files = downloads(file, this.table);
		this.files.hidden = true;
		this.table.node.hidden = true;
		this.node = el("section", {class: "results"}, el("div", {class: "bar"}, this.said, this.files), this.extra,
			this.table.node, this.wrong, this.more, commandOf(path, params));
	}

	// Take another page, or the first.
	async load() {
		const before = this.table.rows.length;
		let taken = 0, left = null;

		this.more.hidden = true;
		this.node.setAttribute("aria-busy", "true");
		replace(this.wrong);
		replace(this.said, t("loading"));
		try {
			for await (const some of lines(this.path, {...this.params, cursor: this.cursor}, this.signal)) {
				const rows = some.filter((object) => this.isRow(object) && this.keep(object));

				left = some.find((object) => !this.isRow(object)) ?? left;
				taken += rows.length;
				this.table.node.hidden = this.table.rows.length + rows.length === 0;
				this.table.add(rows);
			}
			this.cursor = left?.cursor;
			this.tell(taken, left?.limited || taken >= this.most);
		} catch (error) {
			if (error.name === "AbortError")
				return;
			replace(this.said, this.table.rows.length > 0 ? t("rows.part", number(this.table.rows.length)) : "");
			replace(this.wrong, fault(error), [-1, 0, 429, 500, 503].includes(error.status) &&
				el("button", {type: "button", class: "primary", onclick: () => this.loadAgain(before)}, t("again")));
		}
		this.table.show();
		this.node.removeAttribute("aria-busy");
		this.done(this.table.rows);
	}

	// What came of a page that broke off comes again.
	loadAgain(before) {
		this.table.set(this.table.rows.slice(0, before));
		this.load();
	}

	tell(taken, isCut) {
		const n = this.table.rows.length;

		this.files.hidden = n === 0;
		this.more.hidden = !this.cursor;
		replace(this.said, n === 0 ? t("rows.none") : t(this.cursor ? "rows.more" : isCut ? "rows.cut" : "rows.all", number(n)),
			taken < n && taken > 0 && ` ${t("rows.new", number(taken))}`);
	}
}
