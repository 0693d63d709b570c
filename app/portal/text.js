// SPDX-License-Identifier: BSD-3-Clause
// Words in the reader's language, numbers and times. Times are in UTC, as analysts compare them.
import en from "/portal/en.js";
import ja from "/portal/ja.js";

const BOOKS = {en, ja};
const STORED = "dnsweir.language";

function first() {
	const kept = localStorage.getItem(STORED);
	const wanted = (navigator.languages ?? [navigator.language]).map((l) => l.slice(0, 2));

	return Object.hasOwn(BOOKS, kept ?? "") ? kept : wanted.find((l) => Object.hasOwn(BOOKS, l)) ?? "en";
}

let language = first();

export const LANGUAGES = [["en", "English"], ["ja", "日本語"]];

export function current() {
	return language;
}

export function choose(wanted) {
	language = wanted;
	localStorage.setItem(STORED, wanted);
}

// The words of a key; {0}, {1} stand for what follows, {s} for the end of a plural of the first.
export function t(key, ...values) {
	return (BOOKS[language][key] ?? key).replace(/\{([\ds])\}/g, (_, i) => i !== "s" ? values[i] : String(values[0]) === "1" ? "" : "s");
}

// Of counters with names of their own; those without words show as they are.
export function named(prefix, name) {
	return BOOKS[language][`${prefix}.${name}`] ?? name;
}

const formats = new Map(); // to make one takes longer than to use it a hundred times

function format(n, options = {}) {
	const name = language + JSON.stringify(options);

	if (!formats.has(name))
		formats.set(name, new Intl.NumberFormat(language, options));
	return formats.get(name).format(n);
}

export function number(n) {
	return format(n);
}

export function rate(n) {
	return format(n, {maximumFractionDigits: n < 10 ? 1 : 0});
}

// Octets, in the largest unit that leaves a figure before the point.
export function size(n) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	const at = n < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(n) / 10));
	const value = n / 1024 ** at;

	return `${format(value, {maximumFractionDigits: at > 0 && value < 100 ? 1 : 0})} ${units[at]}`;
}

// Seconds since 1970, as YYYY-MM-DD HH:MM:SS.
export function moment(seconds) {
	const at = new Date(seconds * 1000);

	return Number.isNaN(at.getTime()) ? "" : at.toISOString().slice(0, 19).replace("T", " ");
}

const UNITS = {m: 60, h: 3600, d: 86400, w: 7 * 86400};

/** What readTime() takes, as a pattern of a field. */
export const TIME_PATTERN = "\\d{4}-\\d{2}-\\d{2}([ T]\\d{2}:\\d{2}(:\\d{2})?Z?)?|\\d{1,5}[mhdw]|\\d{10}";

/**
 * A time as people write it, in seconds since 1970: a day, a day and a time (UTC), 90m, 12h, 7d or 2w before now, or such seconds.
 * isEnd: what is meant by a day, or a minute, is its last second. Not a number: it is none.
 */
export function readTime(text, isEnd = false) {
	const [, day, time, second] = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2})(:\d{2})?Z?)?$/.exec(text) ?? [];
	const [, n, unit] = /^(\d{1,5})([mhdw])$/.exec(text) ?? [];

	if (n)
		return Math.floor(Date.now() / 1000) - Number(n) * UNITS[unit];
	if (!day)
		return /^\d{10}$/.test(text) ? Number(text) : NaN;
	return Date.parse(`${day}T${time ?? "00:00"}${second ?? ":00"}Z`) / 1000 + (!isEnd || second ? 0 : time ? 59 : 86399);
}

/* ---- names that nobody is to open by accident ---- */

const HARMLESS = "dnsweir.harmless";

let isHarmless = localStorage.getItem(HARMLESS) === "on";

export function harmless() {
	return isHarmless;
}

export function makeHarmless(wanted) {
	isHarmless = wanted;
	localStorage.setItem(HARMLESS, wanted ? "on" : "off");
}

// A name, an address or data as it is shown. Reports have them written so that no program makes links of them.
export function shown(text) {
	return isHarmless ? text.replace(/\bhttp(s?):\/\//gi, "hxxp$1[://]").replace(/(?<=[^\s"])\.(?=[^\s"])/g, "[.]") : text;
}

/* ---- spans ---- */

// So many seconds, in their two largest units.
export function span(seconds) {
	const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
	const at = Math.max(0, units.findIndex(([size]) => seconds >= size));
	const parts = [];
	let rest = Math.floor(seconds);

	for (const [size, unit] of seconds < 1 ? units.slice(-1) : units.slice(at, at + 2)) {
		const n = Math.floor(rest / size);

		rest -= n * size;
		if (n > 0 || parts.length === 0)
			parts.push(format(n, {style: "unit", unit, unitDisplay: "short"}));
	}
	return parts.join(" ");
}
