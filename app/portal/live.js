// SPDX-License-Identifier: BSD-3-Clause
// Boxes and the collector, as they are now: counters are asked for again and again, and rates made of them.
import {object} from "/portal/api.js";
import {spark} from "/portal/chart.js";
import {choice, el, field, replace} from "/portal/dom.js";
import {fault} from "/portal/results.js";
import {Table} from "/portal/table.js";
import {named, number, rate, size, span, t} from "/portal/text.js";

const PAUSES = ["2", "5", "30"];
const FIRST_MS = 1200; // rates are there as soon as a second has gone by
const KEPT = 60; // values of a line

// All numbers below.
function sum(value) {
	return typeof value === "number" ? value
		: value && typeof value === "object" ? Object.values(value).reduce((n, v) => n + sum(v), 0) : 0;
}

/** Counters that became rates, with what they were before. */
class Rates {
	constructor() {
		this.before = new Map();
		this.lines = new Map();
	}

	// A counter's value at a time in seconds. One that began anew says nothing.
	take(key, value, at) {
		const last = this.before.get(key);
		const line = this.lines.get(key) ?? [];

		this.before.set(key, {value, at});
		if (last && value >= last.value && at > last.at)
			line.push((value - last.value) / (at - last.at));
		this.lines.set(key, line.slice(-KEPT));
		return this.lines.get(key);
	}
}

function fact(title, value) {
	return value !== undefined && value !== null && el("div", {}, el("dt", {}, title), el("dd", {}, value));
}

function boxRates(box, rates, at) {
	const s = box.stats ?? {};
	const one = (key, value, unit) => spark(t(`rate.${key}`), rates.take(`${box.box} ${key}`, value, at), t(`unit.${unit}`));

	return el("dl", {class: "sparks"},
		one("packets", sum(s.dnsweir_rx_packets_total), "packets"),
		one("responses", sum(s.dnsweir_responses_total), "responses"),
		one("filtered", sum(s.dnsweir_filtered_total), "responses"),
		one("dropped", sum(s.dnsweir_tx_dropped_total), "packets"));
}

function verdictTable(box, rates, at) {
	const rows = Object.entries(box.stats?.dnsweir_verdicts_total ?? {}).filter(([, n]) => n > 0)
		.map(([reason, n]) => ({reason, count: n, rate: rates.take(`${box.box} verdict ${reason}`, n, at).at(-1) ?? 0}));
	const table = new Table({caption: t("table.verdicts"), isSortable: false, sort: {key: "count", isDown: true}, columns: [
		{key: "reason", title: t("column.reason"), value: (r) => named("reason", r.reason)},
		{key: "count", title: t("column.packets"), isNumber: true, value: (r) => r.count, cell: (r) => number(r.count)},
		{key: "rate", title: t("column.rate"), isNumber: true, value: (r) => r.rate, cell: (r) => rate(r.rate)},
	]});

	table.set(rows);
	return rows.length > 0 && table.node;
}

function portList(box) {
	return (box.ports ?? []).map((port) => el("li", {}, el("span", {class: `state ${port.link === "up" ? "good" : "bad"}`},
		named("link", port.link)), " ", t("port", port.port, named("side", port.side)), " ", el("span", {translate: "no"}, port.name)));
}

function boxCard(box, rates, at, isOpen) {
	return el("article", {class: "card", "data-box": box.box},
		el("h3", {}, el("span", {class: `state ${box.up ? "good" : "bad"}`}, box.up ? t("box.up") : t("box.down")), " ",
			el("span", {class: "name", translate: "no"}, box.box)),
		box.up && [
			boxRates(box, rates, at),
			el("dl", {class: "facts"},
				fact(t("fact.version"), box.version?.version),
				fact(t("fact.uptime"), box.version && span(box.version.uptime_seconds)),
				fact(t("fact.names"), box.generation && number(box.generation.names)),
				fact(t("fact.generation"), box.generation?.generation),
				fact(t("fact.lost"), number(sum(box.stats?.dnsweir_mirror_lost_total) + sum(box.stats?.dnsweir_tap_lost_total)))),
			box.generation?.last_error && el("p", {class: "fault"}, t("reload.failed"), " ", el("span", {lang: "en"},
				box.generation.last_error)),
			el("ul", {class: "ports"}, portList(box)),
			el("details", {open: isOpen}, el("summary", {}, t("verdicts.title")), verdictTable(box, rates, at))]);
}

function collectorCard(status, rates, at) {
	const pdns = status.pdns;
	const one = (key, value, unit) => spark(t(`rate.${key}`), rates.take(`collector ${key}`, value, at), t(`unit.${unit}`));
	const senders = new Table({caption: t("table.senders"), isSortable: false, columns: [
		{key: "peer", title: t("column.peer"), value: (r) => r.peer},
		...["connections", "frames", "taken", "observed", "opted_out", "lost_mirror"].map((key) => ({key, isNumber: true,
			title: t(`sender.${key}`), value: (r) => r[key], cell: (r) => number(r[key])})),
		{key: "refused", title: t("sender.refused"), isNumber: true, value: (r) => sum(r.refused), cell: (r) => number(sum(r.refused))},
	]});

	senders.set(status.senders ?? []);
	return el("article", {class: "card wide"},
		el("dl", {class: "sparks"},
			one("stored", status.stored, "records"),
			pdns && one("observed", pdns.tuples, "tuples"),
			pdns && one("flushed", pdns.flushed, "tuples")),
		el("dl", {class: "facts"},
			fact(t("fact.open"), number(status.open)), fact(t("fact.pending"), number(status.pending)),
			fact(t("fact.numbered"), number(status.numbered)), fact(t("fact.missing"), number(status.lost)),
			fact(t("fact.commits"), number(status.failed_commits)),
			pdns && [fact(t("fact.waiting"), number(pdns.waiting)), fact(t("fact.bytes"), size(pdns.bytes)),
				fact(t("fact.flushes"), number(pdns.failed_flushes)), fact(t("fact.noroom"), number(pdns.no_room))]),
		senders.rows.length > 0 ? senders.node : el("p", {}, t("senders.none")));
}

/** What is shown, and shown again. */
class Board {
	constructor(signal) {
		this.signal = signal;
		this.rates = new Rates();
		this.isPaused = false;
		this.timer = 0;
		this.boxes = el("div", {class: "cards"});
		this.collector = el("div");
		this.wrong = el("div");
		this.pause = choice("pause", PAUSES.map((s) => [s, t("every", s)]), PAUSES[1]);
		this.pause.addEventListener("change", () => this.plan());
		this.stop = el("button", {type: "button", "aria-pressed": "false", onclick: () => this.toggle()}, t("pause"));
		signal.addEventListener("abort", () => clearTimeout(this.timer));
	}

	toggle() {
		this.isPaused = !this.isPaused;
		this.stop.setAttribute("aria-pressed", String(this.isPaused));
		this.plan();
	}

	plan(wait = Number(this.pause.value) * 1000) {
		clearTimeout(this.timer);
		if (!this.isPaused && !this.signal.aborted)
			this.timer = setTimeout(() => this.tick(), wait);
	}

	async tick() {
		if (!document.hidden)
			await this.look();
		this.plan();
	}

	async look() {
		try {
			const [{boxes}, status] = await Promise.all([object("/v1/boxes", {}, this.signal), object("/v1/status", {}, this.signal)]);
			const at = performance.now() / 1000;
			const open = new Set([...this.boxes.querySelectorAll("article:has(details[open])")].map((node) => node.dataset.box));
			const held = document.activeElement?.closest?.("article")?.dataset.box;

			replace(this.wrong);
			// A box tells the time of its counters itself, so that it does not matter how long its answer took.
			replace(this.boxes, boxes.length === 0 && el("p", {class: "note"}, t("boxes.none")),
				boxes.map((box) => boxCard(box, this.rates, box.version?.uptime_seconds ?? at, open.has(box.box))));
			replace(this.collector, collectorCard(status, this.rates, at));
			// Who stood on something that was drawn anew stands there again.
			if (held !== undefined)
				[...this.boxes.children].find((node) => node.dataset.box === held)?.querySelector("summary")?.focus();
		} catch (error) {
			if (error.name !== "AbortError")
				replace(this.wrong, fault(error));
		}
	}
}

export const live = {
	title: () => t("title.live"),
	role: "metrics",
	async show(main, params, signal) {
		const board = new Board(signal);

		replace(main, el("div", {class: "filters"}, field(t("every.label"), board.pause), board.stop), board.wrong,
			el("section", {}, el("h2", {}, t("boxes.title")), board.boxes),
			el("section", {}, el("h2", {}, t("collector.title")), board.collector));
		await board.look();
		board.plan(FIRST_MS);
	},
};
