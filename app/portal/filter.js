// SPDX-License-Identifier: BSD-3-Clause
// What is filtered and why: whether a name is listed, lists, malware identifiers, and to those who may see
// clients, what was filtered and what reached the sinkhole.
import {may, object, who} from "/portal/api.js";
import {choice, el, field, replace, timeField, values, visit} from "/portal/dom.js";
import {addressLink, link, nameLink, nameText, read} from "/portal/names.js";
import {fault, Results, timeCell} from "/portal/results.js";
import {Table} from "/portal/table.js";
import {moment, named, number, readTime, shown, t} from "/portal/text.js";

const LIMIT = 5000; // responses
const HOUR_S = 3600;
const IDS_MAX = 100;

/* ---- is it listed? ---- */

function ruleText(rule) {
	return [t("rule.list"), " ", el("strong", {translate: "no"}, rule.list), t("comma"), t("rule.action"), " ",
		el("strong", {}, named("action", rule.action)), rule.id && [t("comma"), t("rule.id"), " ",
			el("strong", {translate: "no"}, rule.id)],
		rule.entry && [t("comma"), t("rule.entry"), " ", el("strong", {class: "name", translate: "no"}, shown(rule.entry)), " (",
			named("scope", rule.rule), ")"],
		rule.start && [t("comma"), rule.end ? t("rule.days", rule.start, rule.end) : t("rule.from", rule.start)]];
}

function boxVerdict(box) {
	const state = box.verdict === "filtered" ? "bad" : box.verdict === "allowed" ? "good" : "";

	return el("div", {class: "card"}, el("h3", {class: "name", translate: "no"}, box.box),
		!box.up ? el("p", {}, t("box.down"))
			: box.error ? el("p", {lang: "en"}, box.error)
				: [el("p", {}, el("strong", {class: `state ${state}`}, named("verdict", box.verdict))),
					el("ul", {},
						box.by && el("li", {}, t("because.by"), " ", ruleText(box.by)),
						box.allowed_by && el("li", {}, t("because.allowed"), " ", ruleText(box.allowed_by)),
						(box.rules ?? []).map((rule) => el("li", {}, t("because.rule"), " ", ruleText(rule))))]);
}

async function explain(place, name, signal) {
	replace(place, el("p", {role: "status"}, t("loading")));
	try {
		const answer = await object("/v1/explain", {name}, signal);

		replace(place, el("div", {role: "status"}, el("p", {}, nameText(name)), el("div", {class: "cards"},
			answer.boxes.map(boxVerdict))));
	} catch (error) {
		if (error.name !== "AbortError")
			replace(place, fault(error));
	}
}

function listed(params, signal) {
	const place = el("div");
	const input = el("input", {name: "name", value: params.name, required: true, autocomplete: "off", spellcheck: "false",
		autocapitalize: "none", inputmode: "url"});
	const form = el("form", {class: "filters", onsubmit: (event) => {
		event.preventDefault();
		visit(link("filter", {name: read(input.value)?.value}));
	}}, field(t("field.name"), input, {class: "field wide"}), el("button", {type: "submit", class: "primary"}, t("listed.ask")));

	if (params.name)
		explain(place, params.name, signal);
	return el("section", {}, el("h2", {}, t("listed.title")), form, place);
}

/* ---- lists and identifiers ---- */

function listTable(boxes) {
	const rows = boxes.flatMap((box) => (box.lists ?? []).map((list) => ({box: box.box, ...list})));
	const count = (key) => ({key, title: t(`list.${key}`), isNumber: true, value: (r) => r[key], cell: (r) => number(r[key])});
	const table = new Table({caption: t("table.lists"), columns: [
		{key: "name", title: t("list.name"), value: (r) => r.name},
		{key: "action", title: t("list.action"), value: (r) => named("action", r.action)},
		{key: "kind", title: t("list.kind"), value: (r) => named("kind", r.kind)},
		count("names"), count("active"), count("matched"), count("filtered"), count("bad_lines"),
		...(boxes.length > 1 ? [{key: "box", title: t("box"), value: (r) => r.box}] : []),
	]});

	table.set(rows);
	return table.node;
}

// dnsweir_filtered_ids_total of all boxes: {list: {id: {action: number}}}.
function idRows(boxes) {
	const sums = new Map();

	for (const box of boxes)
		for (const [list, ids] of Object.entries(box.stats?.dnsweir_filtered_ids_total ?? {}))
			for (const [id, actions] of Object.entries(ids))
				for (const [action, n] of Object.entries(actions)) {
					const key = JSON.stringify([list, id, action]);

					sums.set(key, {list, id, action, count: (sums.get(key)?.count ?? 0) + n});
				}
	return [...sums.values()].sort((a, b) => b.count - a.count).slice(0, IDS_MAX);
}

function idTable(boxes) {
	const rows = idRows(boxes);
	const table = new Table({caption: t("table.ids"), sort: {key: "count", isDown: true}, columns: [
		{key: "id", title: t("column.id"), value: (r) => r.id, cell: (r) => may("analyst")
			? el("a", {href: link("clients", {id: r.id, what: "hits"})}, r.id || t("id.none")) : r.id || t("id.none")},
		{key: "list", title: t("list.name"), value: (r) => r.list},
		{key: "action", title: t("list.action"), value: (r) => named("action", r.action)},
		{key: "count", title: t("column.count"), isNumber: true, value: (r) => r.count, cell: (r) => number(r.count)},
	]});

	table.set(rows);
	return rows.length > 0 ? table.node : el("p", {}, t("ids.none"));
}

async function lists(place, signal) {
	replace(place, el("p", {role: "status"}, t("loading")));
	try {
		const {boxes} = await object("/v1/boxes", {}, signal);
		const silent = boxes.filter((box) => !box.up);

		replace(place, el("section", {}, el("h2", {}, t("lists.title")),
			silent.map((box) => el("p", {class: "fault"}, t("box.silent", box.box))), listTable(boxes.filter((box) => box.up))),
			el("section", {}, el("h2", {}, t("ids.title")), idTable(boxes)));
	} catch (error) {
		if (error.name !== "AbortError")
			replace(place, fault(error));
	}
}

/* ---- clients ---- */

function clientText(address, bits) {
	const whole = address.includes(":") ? 128 : 32;

	return bits === undefined || bits === whole ? address : `${address}/${bits}`;
}

// Seconds since 1970 of a time as the query log has it: in the operator's zone, to the microsecond.
function stampSeconds(stamp) {
	return Date.parse(stamp.replace(/(\.\d{3})\d*/, "$1").replace(/([+-]\d\d)(\d\d)$/, "$1:$2")) / 1000;
}

function stampColumn(key, title, stamp) {
	return {key, title, isNumber: true, value: (r) => stampSeconds(stamp(r)), cell: (r) => timeCell(stampSeconds(stamp(r)))};
}

function question(dns) {
	return dns.queries?.[0] ?? dns;
}

function hitTable() {
	const text = (key, value) => ({key, title: t(`hit.${key}`), value});

	return {caption: t("table.hits"), sort: {key: "time", isDown: true}, columns: [
		{key: "name", title: t("column.name"), value: (r) => question(r.dns).rrname ?? "",
			cell: (r) => nameLink(question(r.dns).rrname ?? "")},
		stampColumn("time", t("hit.time"), (r) => r.timestamp),
		text("client", (r) => clientText(r.src_ip ?? "", r.src_mask)),
		text("type", (r) => question(r.dns).rrtype ?? ""),
		text("list", (r) => r.filter.list ?? ""),
		text("id", (r) => r.filter.id ?? ""),
		text("action", (r) => named("action", r.filter.action)),
		{key: "answers", title: t("hit.answers"), class: "data", value: (r) => (r.dns.answers ?? []).map((a) => a.rdata).join(" "),
			cell: (r) => (r.dns.answers ?? []).map((a) => el("div", {}, addressLink(a.rdata)))},
	]};
}

function contactTable() {
	const text = (key, value) => ({key, title: t(`contact.${key}`), value});

	return {caption: t("table.contacts"), sort: {key: "last", isDown: true}, columns: [
		text("client", (r) => r.client),
		text("id", (r) => r.id || t("id.none")),
		{key: "asked", title: t("contact.asked"), value: (r) => r.asked, cell: (r) => r.asked && nameLink(r.asked)},
		text("named", (r) => shown(r.sni ?? r.host ?? "")),
		text("port", (r) => `${r.proto} ${r.port}`),
		text("basis", (r) => named("basis", r.basis)),
		stampColumn("first", t("column.first"), (r) => r.first), stampColumn("last", t("column.last"), (r) => r.last),
		{key: "count", title: t("column.count"), isNumber: true, value: (r) => r.count, cell: (r) => number(r.count)},
	]};
}

// A time as the query log takes it; what is none is left to be refused.
function stamp(text) {
	const at = moment(readTime(text));

	return at ? `${at.replace(" ", "T")}Z` : text;
}

export const clients = {
	title: () => t("title.clients"),
	role: "analyst",
	// Nothing is asked for before somebody says so: each answer is in the audit log.
	show(main, params, signal) {
		const from = params.from ?? moment(Date.now() / 1000 - HOUR_S).slice(0, 16);
		const common = {from: stamp(from), id: params.id, client: params.client};
		const text = (name, label) => field(label, el("input", {name, value: params[name], autocomplete: "off", spellcheck: "false"}));
		const form = el("form", {class: "filters", onsubmit: (event) => {
			event.preventDefault();
			visit(link("clients", values(form)));
		}},
			field(t("clients.what"), choice("what", [["hits", t("clients.hits")], ["contacts", t("clients.contacts")]], params.what),
				{class: "field pair"}),
			timeField(t("clients.from"), "from", from, t("time.hint"), {required: true, size: 16}, {class: "field pair"}),
			text("id", t("column.id")), text("client", t("clients.client")),
			el("button", {type: "submit", class: "primary"}, t("show")));
		const isHits = params.what === "hits";

		replace(main, el("p", {class: "note"}, t("clients.note")), form);
		if (!params.what)
			return;
		const results = new Results({
			path: isHits ? "/v1/log" : "/v1/contacts", signal, most: isHits ? LIMIT : Infinity, file: isHits ? "filtered" : "contacts",
			params: isHits ? {...common, filtered: "yes", limit: LIMIT} : common,
			table: isHits ? hitTable() : contactTable(),
		});

		main.append(results.node);
		results.load();
	},
};

export const filter = {
	title: () => t("title.filter"),
	role: "metrics",
	show(main, params, signal) {
		const place = el("div");

		replace(main, el("p", {class: "words"}, t("filter.words")),
			who().boxes > 0 && may("pdns") && listed(params, signal),
			who().boxes > 0 ? place : el("p", {class: "note"}, t("boxes.none")),
			!may("analyst") && el("p", {class: "note"}, t("clients.role")));
		if (who().boxes > 0)
			lists(place, signal);
	},
};
