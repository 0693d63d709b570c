// SPDX-License-Identifier: BSD-3-Clause
// What passive DNS gives away: look-alikes, what is new, addresses that come and go, what is shared.
import {choice, el, field, replace, values, visit} from "/portal/dom.js";
import {link, nameLink, rdata, read} from "/portal/names.js";
import {columns, Results} from "/portal/results.js";
import {named, number, shown, t} from "/portal/text.js";

const SPANS = ["3600", "86400", "604800", "2592000"];
const LIMIT = 2000;

const nameColumn = () => ({key: "name", title: t("column.name"), value: (r) => r.name, cell: (r) => nameLink(r.name)});

function numberColumn(key, title) {
	return {key, title, isNumber: true, value: (r) => r[key], cell: (r) => number(r[key])};
}

// A form whose values go into the address of the view.
function ask(view, ...fields) {
	const form = el("form", {class: "filters", onsubmit: (event) => {
		const given = values(form);

		event.preventDefault();
		if (given.name)
			given.name = read(given.name)?.value;
		visit(link(view, given));
	}}, fields, el("button", {type: "submit", class: "primary"}, t("show")));

	return form;
}

function nameField(value, isNeeded, text = t("field.domain")) {
	return field(text, el("input", {name: "name", value, required: isNeeded, autocomplete: "off", spellcheck: "false",
		autocapitalize: "none", inputmode: "url"}), {class: "field wide"});
}

function answer(main, form, words, signal, options) {
	const results = new Results({signal, isRow: (object) => !("rows" in object), ...options});

	replace(main, el("p", {class: "words"}, words), form, results.node);
	results.load();
}

export const similar = {
	title: (params) => params.name ? t("title.similar.of", params.name) : t("title.similar"),
	head: () => t("title.similar"),
	role: "pdns",
	show(main, params, signal) {
		const form = ask("similar", nameField(params.name, true, t("field.brand")),
			field(t("field.words"), el("input", {name: "words", value: params.words, autocomplete: "off", placeholder: "login secure"})));

		if (!params.name) {
			replace(main, el("p", {class: "words"}, t("similar.words")), form);
			return;
		}
		answer(main, form, t("similar.words"), signal, {
			path: "/v1/similar", params: {name: params.name, words: params.words, limit: LIMIT}, file: "look-alikes",
			table: {
				caption: t("table.similar", params.name), sort: {key: "distance", isDown: false},
				columns: [nameColumn(),
					{key: "class", title: t("column.class"), value: (r) => named("class", r.class)},
					numberColumn("distance", t("column.distance")),
					columns.first(), columns.last(), columns.count()],
			},
		});
	},
};

export const fresh = {
	title: () => t("title.new"),
	role: "pdns",
	show(main, params, signal) {
		const kinds = ["domain", "name", "rdata"];
		const form = ask("new",
			field(t("field.since"), choice("since", SPANS.map((s) => [s, t(`since.${s}`)]), params.since ?? SPANS[1])),
			field(t("field.kind"), choice("kind", [["", t("kind.all")], ...kinds.map((k) => [k, t(`kind.${k}`)])], params.kind)));

		answer(main, form, t("new.words"), signal, {
			path: "/v1/new", params: {"first-after": `-${params.since ?? SPANS[1]}`, limit: LIMIT}, file: "new",
			keep: (row) => !params.kind || row.new === params.kind,
			table: {
				caption: t("table.new"), sort: {key: "first", isDown: true},
				columns: [nameColumn(),
					{key: "new", title: t("column.kind"), value: (r) => t(`kind.${r.new}`)},
					{key: "data", title: t("column.data"), class: "data", value: (r) => r.rdata ?? "",
						cell: (r) => r.rdata !== undefined && [r.rrtype, " ", rdata(r.rrtype, r.rdata)]},
					columns.first()],
			},
		});
	},
};

export const flux = {
	title: (params) => params.name ? t("title.flux.of", params.name) : t("title.flux"),
	head: () => t("title.flux"),
	role: "pdns",
	show(main, params, signal) {
		const form = ask("flux", nameField(params.name, false, t("field.optional")),
			field(t("field.last"), choice("since", [["", t("since.ever")], ...SPANS.slice(1).map((s) => [s, t(`since.${s}`)])],
				params.since)));

		answer(main, form, t("flux.words"), signal, {
			path: "/v1/flux", params: {name: params.name, "last-after": params.since && `-${params.since}`, limit: LIMIT},
			file: "flux",
			table: {
				caption: t("table.flux"), sort: {key: "score", isDown: true},
				columns: [nameColumn(), numberColumn("score", t("column.score")), numberColumn("addresses", t("column.addresses")),
					numberColumn("networks", t("column.networks")), numberColumn("brief", t("column.brief")),
					columns.first(), columns.last()],
			},
		});
	},
};

export const shared = {
	title: (params) => params.name ? t("title.shared.of", params.name) : t("title.shared"),
	head: () => t("title.shared"),
	role: "pdns",
	show(main, params, signal) {
		const form = ask("shared", nameField(params.name, true));

		if (!params.name) {
			replace(main, el("p", {class: "words"}, t("shared.words")), form);
			return;
		}
		answer(main, form, t("shared.words"), signal, {
			path: "/v1/shared", params: {name: params.name, limit: LIMIT}, file: "shared",
			table: {
				caption: t("table.shared", params.name), sort: {key: "what", isDown: false},
				columns: [nameColumn(),
					{key: "via", title: t("column.via"), value: (r) => t(`via.${r.via}`)},
					{key: "what", title: t("column.what"), value: (r) => r.what, cell: (r) => r.via === "ns" ? nameLink(r.what)
						: el("a", {class: "name", translate: "no", href: link("search", {q: r.what})}, shown(r.what))}],
			},
		});
	},
};
