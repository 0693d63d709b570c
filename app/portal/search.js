// SPDX-License-Identifier: BSD-3-Clause
// Passive DNS: one box that knows names, addresses and networks apart, and where to go from there.
import {who} from "/portal/api.js";
import {copier} from "/portal/command.js";
import {choice, el, field, replace, timeField, values, visit} from "/portal/dom.js";
import {link, nameLink, nameText, rdata, read} from "/portal/names.js";
import {columns, Results} from "/portal/results.js";
import {readTime, shown, t} from "/portal/text.js";
import {timeline} from "/portal/timeline.js";

const LIMITS = ["100", "500", "1000", "5000"];
const TYPES = ["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT", "CAA", "DS", "DNSKEY", "SVCB", "HTTPS", "NAPTR", "TLSA",
	"ANY-DNSSEC", "ALL"];
const CLASSES = ["client", "resolver"];
// What "after" and "before" are about: [of which time after, of which before].
const FENCES = {seen: ["last", "first"], first: ["first", "first"], last: ["last", "last"], within: ["first", "last"]};

function fences(params) {
	const [after, before] = FENCES[Object.hasOwn(FENCES, params.fence ?? "") ? params.fence : "seen"];

	return {
		[`${after}-after`]: params.after && readTime(params.after),
		[`${before}-before`]: params.before && readTime(params.before, true),
	};
}

function question(asked, params) {
	const by = asked.kind !== "name" ? "ip" : params.by === "rdata" ? "rdata-name" : "name";

	return {
		[by]: asked.value,
		type: params.type,
		sensor: params.sensor,
		limit: params.limit ?? LIMITS[0],
		...fences(params),
	};
}

function filters(params, asked) {
	const types = el("datalist", {id: "types"}, TYPES.map((type) => el("option", {value: type})));
	const form = el("form", {class: "filters", role: "search", "aria-label": t("filters"), onsubmit: (event) => {
		event.preventDefault();
		visit(link("search", {q: params.q, ...values(form)}));
	}},
		asked?.kind === "name" && field(t("by"), choice("by", [["", t("by.owner")], ["rdata", t("by.rdata")]], params.by)),
		field(t("type"), el("input", {name: "type", list: "types", value: params.type, size: 6, autocomplete: "off",
			spellcheck: "false", autocapitalize: "characters", placeholder: "ANY"})),
		types,
		field(t("fence"), choice("fence", Object.keys(FENCES).map((k) => [k === "seen" ? "" : k, t(`fence.${k}`)]), params.fence),
			{class: "field pair"}),
		timeField(t("after"), "after", params.after, t("time.hint")),
		timeField(t("before"), "before", params.before, t("time.hint")),
		field(t("sensor"), choice("sensor", [["", t("sensor.all")], ...CLASSES.map((c) => [c, t(`sensor.${c}`)])], params.sensor)),
		field(t("limit"), choice("limit", LIMITS.map((n) => [n, n]), params.limit)),
		el("button", {type: "submit"}, t("apply")));

	return form;
}

// The network around an address, as signals count it.
function around(address) {
	if (!address.includes(":"))
		return address.replace(/\.\d+$/, ".0/24");
	const [head, tail] = address.split("::");
	const groups = (text) => text ? text.split(":") : [];
	const all = tail === undefined ? groups(head)
		: [...groups(head), ...Array(Math.max(0, 8 - groups(head).length - groups(tail).length)).fill("0"), ...groups(tail)];

	return `${all.slice(0, 3).map((g) => g || "0").join(":")}::/48`;
}

function pivots(asked, params) {
	const name = asked.value.replace(/^\*\./, "").replace(/\.\*$/, "");
	const isRdata = params.by === "rdata";
	const places = asked.kind === "address" ? [[t("pivot.around"), link("search", {q: around(asked.value)})]]
		: asked.kind === "network" ? []
			: [
				isRdata ? [t("pivot.owner"), link("search", {q: asked.value})]
					: [t("pivot.rdata"), link("search", {q: asked.value, by: "rdata"})],
				asked.value.startsWith("*.") ? [t("pivot.name"), link("search", {q: name})]
					: [t("pivot.below"), link("search", {q: `*.${name}`})],
				[t("pivot.similar"), link("similar", {name})],
				[t("pivot.shared"), link("shared", {name})],
				[t("pivot.flux"), link("flux", {name})],
				who().boxes > 0 && [t("pivot.listed"), link("filter", {name})],
			].filter(Boolean);

	return places.length > 0 &&
		el("nav", {class: "pivots", "aria-label": t("pivots")}, el("ul", {}, places.map(([text, href]) =>
			el("li", {}, el("a", {href}, text)))));
}

function heading(asked, params) {
	const value = asked.kind === "name" ? nameText(asked.value) : el("span", {class: "name", translate: "no"}, shown(asked.value));

	return el("div", {class: "bar near"}, el("h2", {}, asked.kind !== "name" ? t("of.address") : params.by === "rdata" ? t("of.rdata") : t("of.owner"), " ", value),
		el("div", {class: "actions"}, copier(() => shown(asked.value), t("copy"), t("copy.value"))));
}

function tableOf(asked, params) {
	const data = (row) => [row.rdata].flat();

	return {
		caption: t("table.pdns", shown(asked.value)),
		sort: {key: "last", isDown: true},
		columns: [
			{key: "name", title: t("column.name"), value: (r) => r.rrname, cell: (r) => nameLink(r.rrname)},
			{key: "type", title: t("column.type"), class: "short", value: (r) => String(r.rrtype)},
			{key: "data", title: t("column.data"), class: "data", value: (r) => data(r).join(" "),
				text: (r) => shown(data(r).join(" ")),
				cell: (r) => data(r).map((text) => el("div", {}, rdata(String(r.rrtype), text)))},
			columns.first(), columns.last(), columns.count(),
			{key: "sensor", title: t("column.sensor"), class: "short", value: (r) => (r.classes ?? []).join(" "),
				cell: (r) => (r.classes ?? []).map((c) => t(`sensor.${c}`)).join(t("and"))},
		],
	};
}

// What a bar of the timeline is of: what is not the same in all.
function label(asked, params) {
	return (row) => asked.kind === "name" && params.by !== "rdata" && !asked.value.includes("*")
		? `${row.rrtype} ${shown([row.rdata].flat().join(" "))}` : `${shown(row.rrname)} ${row.rrtype}`;
}

function welcome() {
	const examples = [["www.example.com", t("example.name")], ["*.example.com", t("example.below")],
		["www.example.*", t("example.start")], ["192.0.2.1", t("example.address")], ["2001:db8::/32", t("example.network")]];

	return el("section", {class: "welcome"}, el("p", {}, t("search.words")),
		el("dl", {class: "examples"}, examples.map(([text, words]) => [el("dt", {}, el("a", {class: "name", href: link("search", {q: text})},
			text)), el("dd", {}, words)])));
}

export const search = {
	title: (params) => params.q ? t("title.search.of", params.q) : t("title.search"),
	head: () => t("title.search"),
	role: "pdns",
	show(main, params, signal) {
		const asked = params.q ? read(params.q) : null;
		const drawn = el("div");

		if (!asked) {
			replace(main, who().pdns ? welcome() : el("p", {}, t("pdns.none")));
			return;
		}
		const results = new Results({
			path: "/v1/pdns", params: question(asked, params), signal, file: "passive-dns",
			table: tableOf(asked, params),
			isRow: (object) => "rrname" in object,
			done: (rows) => replace(drawn, timeline(rows, label(asked, params))),
		});

		results.extra.append(drawn);
		replace(main, heading(asked, params), pivots(asked, params), filters(params, asked), results.node);
		results.load();
	},
};
