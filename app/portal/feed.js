// SPDX-License-Identifier: BSD-3-Clause
// Passive DNS as it comes, and by the day: the newest rows while they are written, daily dumps, and how programs get both.
import {events, file, object, Refusal} from "/portal/api.js";
import {commandOf} from "/portal/command.js";
import {choice, el, field, replace, values, visit} from "/portal/dom.js";
import {link, nameLink, rdata, read} from "/portal/names.js";
import {columns, fault} from "/portal/results.js";
import {save, Table} from "/portal/table.js";
import {named, number, size, t} from "/portal/text.js";

const PATH = "/v1/feed";
const MOST = 200; // rows that are kept
const SHOW_MS = 500;
const HIDDEN_MS = 60000; // a page that nobody sees follows no longer: the collector has room for few readers
const WAIT_MS = 1000, WAIT_MAX_MS = 30000; // before it is tried again; twice as long each time

function conditions(params) {
	return {name: params.name && read(params.name)?.value, type: params.type, sensor: params.sensor, new: params.new};
}

function form(params) {
	const node = el("form", {class: "filters", "aria-label": t("filters"), onsubmit: (event) => {
		event.preventDefault();
		visit(link("feed", values(node)));
	}},
		field(t("feed.name"), el("input", {name: "name", value: params.name, autocomplete: "off", spellcheck: "false",
			autocapitalize: "none", inputmode: "url", placeholder: "*.example.com"}), {class: "field wide"}),
		field(t("type"), el("input", {name: "type", value: params.type, size: 6, autocomplete: "off", spellcheck: "false",
			autocapitalize: "characters", placeholder: "ANY"})),
		field(t("sensor"), choice("sensor", [["", t("sensor.all")], ...["client", "resolver"].map((c) => [c, t(`sensor.${c}`)])],
			params.sensor)),
		field(t("feed.which"), choice("new", [["", t("feed.which.all")], ["yes", t("feed.which.new")]], params.new)),
		el("button", {type: "submit"}, t("apply")));

	return node;
}

function tableOf() {
	return new Table({caption: t("table.feed", MOST), isSortable: false, columns: [
		{key: "name", title: t("column.name"), value: (r) => r.rrname, cell: (r) => nameLink(r.rrname)},
		{key: "type", title: t("column.type"), class: "short", value: (r) => String(r.rrtype)},
		{key: "data", title: t("column.data"), class: "data", value: (r) => [r.rdata].flat().join(" "),
			cell: (r) => [r.rdata].flat().map((text) => el("div", {}, rdata(String(r.rrtype), text)))},
		columns.last(), columns.count(),
		{key: "sensor", title: t("column.sensor"), class: "short", value: (r) => named("sensor", r.sensor_id)},
	]});
}

/** The newest rows of the feed, while somebody looks. */
class Follower {
	constructor(params, signal) {
		this.params = params;
		this.signal = signal;
		this.rows = []; // newest first, as they are to be shown
		this.came = this.held = 0; // rows, and those of them that wait for the end of a pause
		this.isPaused = false;
		this.cursor = "now";
		this.line = new AbortController(); // of the request under way
		this.said = el("span", {role: "status"});
		this.count = el("span", {class: "faint"});
		this.gap = el("div");
		this.wrong = el("div");
		this.table = tableOf();
		this.table.node.hidden = true;
		this.button = el("button", {type: "button", "aria-pressed": "false", onclick: () => this.toggle()}, t("pause"));
		this.node = el("div", {}, el("div", {class: "bar"}, el("p", {class: "following"}, this.said, " ", this.count), this.button),
			this.gap, this.wrong, this.table.node);
		this.timer = setInterval(() => this.show(), SHOW_MS);
		signal.addEventListener("abort", () => this.end());
		this.onHidden = () => this.hide();
		document.addEventListener("visibilitychange", this.onHidden);
	}

	end() {
		clearInterval(this.timer);
		clearTimeout(this.hiding);
		document.removeEventListener("visibilitychange", this.onHidden);
		this.line.abort();
	}

	toggle() {
		this.isPaused = !this.isPaused;
		this.button.setAttribute("aria-pressed", String(this.isPaused));
		this.held = 0;
		this.show();
	}

	hide() {
		clearTimeout(this.hiding);
		if (document.hidden)
			this.hiding = setTimeout(() => this.line.abort(), HIDDEN_MS);
	}

	show() {
		const isSame = this.told === `${this.came} ${this.isPaused}`;

		if (isSame || (document.hidden && !this.isPaused))
			return;
		this.told = `${this.came} ${this.isPaused}`;
		this.said.hidden = this.isPaused;
		replace(this.count, this.isPaused ? t("feed.held", number(this.held)) : this.came > 0 && t("feed.came", number(this.came)));
		if (this.isPaused)
			return;
		this.table.node.hidden = this.rows.length === 0;
		this.table.set(this.rows);
	}

	take(rows) {
		const newest = rows.slice(-MOST).reverse();

		this.came += rows.length;
		this.held += this.isPaused ? rows.length : 0;
		this.rows = [...newest, ...this.rows].slice(0, MOST);
	}

	// What came of one request. Returns when its answer is at its end.
	async listen() {
		this.line = new AbortController();
		for await (const some of events(PATH, {...conditions(this.params), from: this.cursor}, this.line.signal)) {
			// Said once, not with each row.
			if (this.said.textContent !== t("feed.follows")) {
				replace(this.said, t("feed.follows"));
				replace(this.wrong);
				this.wait = WAIT_MS;
			}
			this.cursor = some.findLast((one) => one.id)?.id ?? this.cursor;
			this.take(some.filter((one) => one.data && one.event !== "end").map((one) => one.data));
			const end = some.find((one) => one.event === "end");

			if (end)
				throw new Refusal(end.data.status, end.data.error);
		}
		throw new Refusal(-1);
	}

	// Until the page has another view, or there is no use in it.
	async follow() {
		this.wait = WAIT_MS;
		while (!this.signal.aborted)
			try {
				await this.listen();
			} catch (error) {
				if (!await this.goesOn(error))
					return;
			}
	}

	async goesOn(error) {
		if (this.signal.aborted)
			return false;
		if (error.name === "AbortError") {
			await this.seen();
			return true;
		}
		if (!(error instanceof Refusal))
			throw error;
		if (error.status === 410) {
			this.cursor = "now";
			replace(this.gap, el("p", {class: "note"}, t("feed.gap")));
		} else if ([-1, 0, 503].includes(error.status) || (error.status === 429 && !/quota/.test(error.message))) {
			replace(this.wrong, error.status === 503 && fault(error));
		} else {
			replace(this.said);
			replace(this.wrong, fault(error));
			this.button.hidden = true;
			return false;
		}
		const wait = Math.max(this.wait, error.wait * 1000);

		replace(this.said, t("feed.again", number(wait / 1000)));
		await new Promise((done) => setTimeout(done, wait));
		this.wait = Math.min(2 * this.wait, WAIT_MAX_MS);
		return true;
	}

	// Nobody saw the page for a while. What came meanwhile is in the dataset; here it goes on with what is new.
	async seen() {
		this.cursor = "now";
		replace(this.said, t("feed.hidden"));
		await new Promise((done) => {
			const look = () => {
				if (document.hidden && !this.signal.aborted)
					return;
				document.removeEventListener("visibilitychange", look);
				done();
			};

			document.addEventListener("visibilitychange", look);
			this.signal.addEventListener("abort", look);
			look();
		});
		replace(this.said);
	}
}

/* ---- daily dumps ---- */

function kindOf(name) {
	return name.replace(/_\d{8}\..*$/, "");
}

// A button, since the key goes into a header, which a link has none of.
function download(dump, signal) {
	const told = el("span", {role: "status", class: "told"});
	const button = el("button", {type: "button", "aria-label": t("dump.save", dump.name), onclick: async () => {
		button.disabled = true;
		try {
			const blob = await file(`/v1/dumps/${encodeURIComponent(dump.name)}`,
				(octets) => replace(told, t("dump.part", size(octets), size(dump.size))), signal);

			save(dump.name, blob);
			replace(told, t("dump.done"));
		} catch (error) {
			if (error.name !== "AbortError")
				replace(told, fault(error));
		}
		button.disabled = false;
	}}, t("dump.get"));

	return [button, told];
}

async function dumps(place, signal) {
	replace(place, el("p", {role: "status"}, t("loading")));
	try {
		const {files} = await object("/v1/dumps/", {}, signal);
		const table = new Table({caption: t("table.dumps"), sort: {key: "day", isDown: true}, columns: [
			{key: "name", title: t("dump.file"), value: (r) => r.name, cell: (r) => el("span", {class: "name", translate: "no"}, r.name)},
			{key: "kind", title: t("dump.kind"), value: (r) => named("dump", kindOf(r.name))},
			{key: "day", title: t("dump.day"), class: "short", value: (r) => r.day},
			{key: "size", title: t("dump.size"), isNumber: true, value: (r) => r.size, cell: (r) => size(r.size)},
			{key: "get", title: t("dump.get"), class: "bare", isPlain: true, value: (r) => r.name, cell: (r) => download(r, signal)},
		]});

		table.set(files);
		replace(place, files.length > 0 ? [table.node, commandOf(`/v1/dumps/${files.at(-1).name}`, {},
			{options: "-C - -O ", summary: t("dump.command")})] : el("p", {}, t("dumps.none")));
	} catch (error) {
		if (error.name !== "AbortError")
			replace(place, fault(error));
	}
}

export const feed = {
	title: () => t("title.feed"),
	role: "pdns",
	show(main, params, signal) {
		const follower = new Follower(params, signal);
		const place = el("div");

		replace(main, el("p", {class: "words"}, t("feed.words")), form(params), follower.node,
			commandOf(PATH, {from: "now", ...conditions(params)}, {options: "-N ", summary: t("feed.command")}),
			el("section", {}, el("h2", {}, t("dumps.title")), el("p", {class: "words"}, t("dumps.words")), place));
		follower.follow();
		dumps(place, signal);
	},
};
