// SPDX-License-Identifier: BSD-3-Clause
// The page around views: who is signed in, which view the address asks for, language, keys.
import {borrow, kept, leave, may, Refusal, sign, who} from "/portal/api.js";
import {el, replace, visit} from "/portal/dom.js";
import {feed} from "/portal/feed.js";
import {clients, filter} from "/portal/filter.js";
import {live} from "/portal/live.js";
import {link} from "/portal/names.js";
import {fault} from "/portal/results.js";
import {search} from "/portal/search.js";
import {flux, fresh, shared, similar} from "/portal/signals.js";
import {door} from "/portal/sign.js";
import {choose, current, harmless, LANGUAGES, makeHarmless, t} from "/portal/text.js";

const VIEWS = {search, similar, new: fresh, flux, shared, feed, filter, clients, live};
const STORED = "dnsweir.shortcuts";

const main = el("main", {id: "main", tabindex: "-1"});
const top = el("header");
const foot = el("footer");
let under = new AbortController(); // what the view has under way

/* ---- where we are ---- */

// {view, params} of the address behind '#'.
function place() {
	const [path, query] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
	const first = may("pdns") && who().pdns ? "search" : "live";

	return {view: Object.hasOwn(VIEWS, path) ? path : first, params: Object.fromEntries(new URLSearchParams(query ?? ""))};
}

/* ---- around the view ---- */

function languages() {
	return el("div", {class: "languages", role: "group", "aria-label": t("language")}, LANGUAGES.map(([code, name]) =>
		el("button", {type: "button", lang: code, "aria-pressed": String(code === current()), onclick: () => {
			choose(code);
			draw();
			top.querySelector(`.languages [lang=${code}]`).focus();
		}}, name)));
}

function searchBox(params) {
	const input = el("input", {type: "search", name: "q", id: "q", value: params.q, placeholder: t("search.hint"), autocomplete: "off",
		spellcheck: "false", autocapitalize: "none", "aria-keyshortcuts": "/"});

	return el("form", {class: "find", role: "search", "aria-label": t("title.search"), onsubmit: (event) => {
		event.preventDefault();
		if (input.value.trim())
			visit(link("search", {q: input.value.trim()}));
	}}, el("label", {for: "q", class: "hidden"}, t("search.label")), input, el("button", {type: "submit", class: "primary"}, t("search")));
}

function views(at) {
	const shown = Object.entries(VIEWS).filter(([, view]) => may(view.role) && (view.role !== "pdns" || who().pdns));

	return el("nav", {"aria-label": t("views")}, el("ul", {}, shown.map(([name]) => el("li", {},
		el("a", {href: link(name, {}), "aria-current": name === at && "page"}, t(`nav.${name}`))))));
}

function named() {
	return t("sign.as", who().name || "–", who().role);
}

function person() {
	return el("div", {class: "person"}, el("span", {}, named()),
		el("button", {type: "button", onclick: () => {
			leave();
			history.replaceState(null, "", location.pathname);
			draw();
		}}, t("sign.out")));
}

function topShow(at) {
	replace(top,
		el("a", {class: "skip", href: "#main", onclick: (event) => {
			event.preventDefault();
			main.focus();
		}}, t("skip")),
		el("div", {class: "row"}, el("span", {class: "brand", translate: "no"}, "dnsweir"),
			at && may("pdns") && who().pdns && searchBox(at.params),
			el("div", {class: "tools"}, at && person(), languages())),
		at && views(at.view));
}

function shortcuts() {
	const box = el("input", {type: "checkbox", id: "shortcuts", onchange: () =>
		localStorage.setItem(STORED, box.checked ? "on" : "off")});

	box.checked = localStorage.getItem(STORED) !== "off";
	return el("p", {}, box, " ", el("label", {for: "shortcuts"}, t("shortcuts")));
}

function harmlessness() {
	const box = el("input", {type: "checkbox", id: "harmless", onchange: () => {
		makeHarmless(box.checked);
		draw();
		document.getElementById("harmless").focus();
	}});

	box.checked = harmless();
	return el("p", {}, box, " ", el("label", {for: "harmless"}, t("harmless")));
}

/* ---- drawing ---- */

function heading(text) {
	return el("h1", {tabindex: "-1"}, text);
}

function gate(error = null) {
	const inside = el("div");

	under.abort();
	topShow(null);
	replace(foot);
	document.title = `${t("sign.in")} – dnsweir`;
	main.dataset.at = location.hash;
	replace(main, heading(t("sign.title")), inside);
	door(inside, () => draw(true), error);
}

// Something went wrong that no view knows of; a key that is good no more leads to the door.
function failed(error) {
	if (error instanceof Refusal && error.status === 401) {
		leave();
		gate(error);
	} else if (error instanceof Refusal) {
		replace(main, heading("dnsweir"), fault(error), el("button", {type: "button", class: "primary", onclick: () => start()}, t("again")));
	} else {
		throw error;
	}
}

// isMove: somebody came here, so what is new is where reading goes on.
function draw(isMove = false) {
	document.documentElement.lang = current();
	if (!who()) {
		gate();
		return;
	}
	const at = place();
	const view = VIEWS[at.view];
	const inside = el("div", {class: "view"});
	const head = heading((view.head ?? view.title)(at.params));

	under.abort();
	under = new AbortController();
	topShow(at);
	replace(foot, shortcuts(), harmlessness(), el("p", {class: "who"}, named()), el("p", {}, t("version", who().version), t("comma"), t("utc")));
	document.title = `${view.title(at.params)} – dnsweir`;
	main.dataset.at = location.hash;
	replace(main, head, inside);
	if (may(view.role))
		view.show(inside, at.params, under.signal);
	else
		replace(inside, fault(new Refusal(403)));
	if (isMove) {
		head.focus({preventScroll: true});
		scrollTo(0, 0);
	}
}

async function start() {
	document.documentElement.lang = current();
	try {
		const key = kept() || await borrow();

		if (key)
			await sign(key);
		draw();
	} catch (error) {
		failed(error);
	}
}

addEventListener("hashchange", () => draw(true));
addEventListener("left", () => draw());
// Another tab was slow to answer, so that there is a door already.
addEventListener("offered", (event) => document.querySelector(".door") && sign(event.detail).then(() => draw(true), () => {}));
addEventListener("refused", (event) => who() && failed(event.detail));

addEventListener("keydown", (event) => {
	const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);

	if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(STORED) === "off")
		return;
	const box = document.getElementById("q");

	if (box) {
		event.preventDefault();
		box.focus();
		box.select();
	}
});

document.body.append(top, main, foot);
start();
