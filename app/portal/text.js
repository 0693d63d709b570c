// SPDX-License-Identifier: BSD-3-Clause
// Words in the reader's language, numbers and times. Times are in UTC, as analysts compare them.
import en from "/portal/en.js";
import ja from "/portal/ja.js";

const BOOKS = {en, ja};
const STORED = "dnsweir.language";

function first() {
	const kept = localStorage.getItem(STORED);
	const wanted = (navigator.languages ?? [navigator.language]).map((l) => l.slice(0, 2));

	return BOOKS[kept] ? kept : wanted.find((l) => BOOKS[l]) ?? "en";
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

// The words of a key; {0}, {1} stand for what follows.
export function t(key, ...values) {
	return (BOOKS[language][key] ?? key).replace(/\{(\d)\}/g, (_, i) => values[i]);
}

// Of counters with names of their own; those without words show as they are.
export function named(prefix, name) {
	return BOOKS[language][`${prefix}.${name}`] ?? name;
}

export function number(n) {
	return new Intl.NumberFormat(language).format(n);
}

export function rate(n) {
	return new Intl.NumberFormat(language, {maximumFractionDigits: n < 10 ? 1 : 0}).format(n);
}

// Seconds since 1970, as YYYY-MM-DD HH:MM:SS.
export function moment(seconds) {
	const at = new Date(seconds * 1000);

	return Number.isNaN(at.getTime()) ? "" : at.toISOString().slice(0, 19).replace("T", " ");
}

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
			parts.push(new Intl.NumberFormat(language, {style: "unit", unit, unitDisplay: "short"}).format(n));
	}
	return parts.join(" ");
}
