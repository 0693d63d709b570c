// SPDX-License-Identifier: BSD-3-Clause
// Names and addresses as people write and see them.
import {el} from "/portal/dom.js";
import {number, shown, t} from "/portal/text.js";

/* ---- internationalised names (RFC 3492, UTS 39) ---- */

const BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, BIAS = 72, FIRST = 128;

function digit(c) {
	if (c >= 48 && c <= 57)
		return c - 22;
	if (c >= 97 && c <= 122)
		return c - 97;
	return BASE;
}

function adapt(delta, n, isFirst) {
	let k = 0;

	delta = Math.floor(delta / (isFirst ? DAMP : 2));
	delta += Math.floor(delta / n);
	for (; delta > ((BASE - TMIN) * TMAX) >> 1; k += BASE)
		delta = Math.floor(delta / (BASE - TMIN));
	return k + Math.floor((BASE - TMIN + 1) * delta / (delta + SKEW));
}

// What is behind "xn--". Returns null for what is none.
function decode(text) {
	const at = text.lastIndexOf("-");
	const out = Array.from(at > 0 ? text.slice(0, at) : "");
	let n = FIRST, i = 0, bias = BIAS;

	for (let from = at > 0 ? at + 1 : 0; from < text.length;) {
		const before = i;

		for (let w = 1, k = BASE; ; k += BASE) {
			const d = from < text.length ? digit(text.charCodeAt(from++)) : BASE;
			const limit = Math.min(TMAX, Math.max(TMIN, k - bias));

			if (d >= BASE)
				return null;
			i += d * w;
			if (d < limit)
				break;
			w *= BASE - limit;
		}
		bias = adapt(i - before, out.length + 1, before === 0);
		n += Math.floor(i / (out.length + 1));
		i %= out.length + 1;
		if (n > 0x10ffff || (n >= 0xd800 && n <= 0xdfff))
			return null;
		out.splice(i++, 0, String.fromCodePoint(n));
	}
	return out.join("");
}

const SCRIPTS = ["Latin", "Han", "Hiragana", "Katakana", "Hangul", "Bopomofo", "Cyrillic", "Greek", "Arabic", "Hebrew", "Thai",
	"Devanagari", "Armenian", "Georgian", "Tamil", "Bengali", "Cherokee", "Ethiopic", "Khmer", "Lao", "Myanmar", "Sinhala"]
	.map((script) => [script, new RegExp(`\\p{Script=${script}}`, "u")]);
const TOGETHER = [["Latin", "Han", "Hiragana", "Katakana"], ["Latin", "Han", "Hangul"], ["Latin", "Han", "Bopomofo"]];
// Letters of other scripts that nobody can tell from Latin ones.
const LIKE_LATIN = /^[асԁеһіјӏорԛѕԝхуүѵοανρικ0-9-]+$/u;

function isMixed(label) {
	const letters = label.replace(/[\p{Script=Common}\p{Script=Inherited}]/gu, "");
	const found = SCRIPTS.filter(([, is]) => is.test(letters)).map(([script]) => script);
	const isOther = Array.from(letters).some((c) => !SCRIPTS.some(([, is]) => is.test(c)));

	return found.length + Number(isOther) > 1 && !TOGETHER.some((set) => !isOther && found.every((s) => set.includes(s)));
}

// How a name is read: {text, warnings}; text is "" where that is the name itself, or is not to be shown.
export function reading(name) {
	const warnings = new Set();
	const labels = name.split(".").map((label) => {
		const text = label.startsWith("xn--") ? decode(label.slice(4)) : label;

		// What is not seen, or turns the direction of what is beside it, is not shown.
		if (text === null || /[\p{C}\p{Z}]/u.test(text)) {
			warnings.add("idn.bad");
			return label;
		}
		if (text !== label && isMixed(text))
			warnings.add("idn.mixed");
		else if (text !== label && LIKE_LATIN.test(text))
			warnings.add("idn.like");
		return text;
	});
	const text = labels.join(".");

	return {text: text === name ? "" : text, warnings: [...warnings]};
}

// The other way, for what somebody types; what cannot be is left as it is.
function encode(label) {
	if (/^[\x00-\x7f]*$/.test(label))
		return label;
	try {
		return new URL(`http://${label}.example`).hostname.replace(/\.example$/, "");
	} catch {
		return label;
	}
}

/* ---- what somebody looks for ---- */

const OCTET = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const IPV4 = new RegExp(`^${OCTET}(\\.${OCTET}){3}$`);

function isAddress(text) {
	if (IPV4.test(text))
		return true;
	if (!text.includes(":") || !/^[0-9a-f:.]+$/i.test(text))
		return false;
	try {
		return new URL(`http://[${text}]`) !== null;
	} catch {
		return false;
	}
}

function isNetwork(text) {
	const [address, length] = text.split("/");

	return length !== undefined && /^\d{1,3}$/.test(length) && isAddress(address) &&
		Number(length) <= (address.includes(":") ? 128 : 32);
}

function isRange(text) {
	const [first, last, more] = text.split("-");

	return more === undefined && last !== undefined && isAddress(first) && isAddress(last);
}

// Names come out of reports, where they are written so that nobody opens them.
function plain(text) {
	return text.trim().replace(/[[({](\.|dot)[\])}]/gi, ".").replace(/\[(:|:\/\/)\]/g, "$1").replace(/^h(tt|xx)ps?:\/\/([^/]*).*$/i, "$2");
}

// {kind: "address", "network" or "name", value}; null: nothing.
export function read(typed) {
	const text = plain(typed);

	if (text === "")
		return null;
	if (isAddress(text))
		return {kind: "address", value: text};
	if (isNetwork(text) || isRange(text))
		return {kind: "network", value: text};
	// U-labels may have full stops of their own (RFC 3490 s3.1).
	return {kind: "name", value: text.replace(/[。．｡]/g, ".").split(".").map(encode).join(".").toLowerCase()
		.replace(/(?<=[^.\\])\.$/, "")};
}

/* ---- links ---- */

export function link(view, params) {
	const query = new URLSearchParams(Object.entries(params).filter(([, v]) => v !== undefined && v !== "")).toString();

	return query ? `#/${view}?${query}` : `#/${view}`;
}

function warning(key) {
	return el("span", {class: "warning"}, "⚠ ", t(key));
}

// A name as DNS has it, as people see it, and what to beware of.
export function nameText(name) {
	const seen = reading(name);

	return [el("span", {class: "name", translate: "no"}, shown(name)),
		seen.text && [" ", el("bdi", {class: "seen", translate: "no"}, shown(seen.text))],
		seen.warnings.map((key) => [" ", warning(key)])];
}

export function nameLink(name) {
	const seen = reading(name);

	return [el("a", {class: "name", translate: "no", href: link("search", {q: name})}, shown(name)),
		seen.text && [" ", el("bdi", {class: "seen", translate: "no"}, shown(seen.text))],
		seen.warnings.map((key) => [" ", warning(key)])];
}

export function addressLink(address) {
	return el("a", {class: "name", translate: "no", href: link("search", {q: address})}, shown(address));
}

// Which words of RDATA are names, by type.
const NAME_AT = {NS: 0, CNAME: 0, DNAME: 0, PTR: 0, MX: 1, AFSDB: 1, KX: 1, RT: 1, SRV: 3, SVCB: 1, HTTPS: 1, SOA: 0, NAPTR: -1};

const LONG = 400, BEGIN = 200; // characters

// What is long shows its begin, and a button for the rest.
function cut(text) {
	if (text.length <= LONG)
		return shown(text);
	const rest = el("button", {type: "button", class: "rest-of", onclick: () => rest.replaceWith(shown(text.slice(BEGIN)))},
		t("data.rest", number(text.length - BEGIN)));

	return [shown(text.slice(0, BEGIN)), rest];
}

// RDATA with links to what it names.
export function rdata(type, text) {
	const words = text.split(" ");
	const place = Object.hasOwn(NAME_AT, type) ? NAME_AT[type] : undefined;
	const at = place < 0 ? words.length + place : place;

	if ((type === "A" || type === "AAAA") && isAddress(text))
		return addressLink(text);
	if (at === undefined)
		return cut(text);
	return words.map((word, i) => [i > 0 && " ",
		i === at && word !== "." && word !== "" ? nameLink(word) : cut(word)]);
}
