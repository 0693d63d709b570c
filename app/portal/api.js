// SPDX-License-Identifier: BSD-3-Clause
// What is asked of the API. The key is kept for this tab and those beside it, and goes into a header, never into an address.
import {t} from "/portal/text.js";

const STORED = "dnsweir.key";

let key = sessionStorage.getItem(STORED) ?? "";

// An answer other than the one that was asked for. Status 0: there was none; -1: it broke off.
export class Refusal extends Error {
	constructor(status, sentence = "", wait = 0) {
		super(sentence);
		this.status = status;
		this.wait = wait;
	}

	// For people. What the server says itself is in English, and stands behind it.
	words() {
		if (this.status === 429)
			return t(/quota/.test(this.message) ? "error.quota" : "error.rate", this.wait);
		return t(`error.${[-1, 0, 400, 401, 403, 404, 500, 503].includes(this.status) ? this.status : "other"}`, this.status);
	}
}

export function kept() {
	return key;
}

async function refusal(answer) {
	let sentence = "";

	try {
		sentence = (await answer.json()).error ?? "";
	} catch {
		// What says no reason is told by its status.
	}
	return new Refusal(answer.status, sentence, Number(answer.headers.get("Retry-After")) || 1);
}

async function ask(path, params, signal, accept = "*/*", as = key) {
	const query = new URLSearchParams(Object.entries(params).filter(([, v]) => v !== undefined && v !== "")).toString();
	let answer;

	try {
		answer = await fetch(query ? `${path}?${query}` : path,
			{headers: {"X-API-Key": as, Accept: accept}, credentials: "omit", redirect: "error", signal});
	} catch (error) {
		throw error.name === "AbortError" ? error : new Refusal(0);
	}
	if (answer.ok)
		return answer;
	throw await refusal(answer);
}

export async function object(path, params = {}, signal = undefined) {
	const answer = await ask(path, params, signal);

	try {
		return await answer.json();
	} catch (error) {
		throw error.name === "AbortError" ? error : new Refusal(-1);
	}
}

// Whole lines of an answer, as they come: some at a time.
async function* whole(answer) {
	const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
	let rest = "";

	try {
		for (;;) {
			const {done, value} = await reader.read();
			const parts = (rest + (value ?? "")).split("\n");

			rest = parts.pop();
			if (parts.length > 0)
				yield parts;
			if (done)
				break;
		}
	} catch (error) {
		throw error.name === "AbortError" ? error : new Refusal(-1);
	} finally {
		reader.cancel().catch(() => {});
	}
	if (rest !== "")
		throw new Refusal(-1);
}

function parse(line) {
	try {
		return JSON.parse(line);
	} catch {
		throw new Refusal(-1);
	}
}

// Objects of an answer that has one a line.
export async function* lines(path, params = {}, signal = undefined) {
	for await (const some of whole(await ask(path, params, signal)))
		yield some.filter((line) => line !== "").map(parse);
}

// Server-sent events of an answer: {id, event, data}, data as an object. EventSource has no header for a key.
export async function* events(path, params = {}, signal = undefined) {
	let one = {};

	for await (const some of whole(await ask(path, params, signal, "text/event-stream"))) {
		const ready = [];

		for (const line of some) {
			const at = line.indexOf(":");
			const value = line.slice(at + 1).replace(/^ /, "");

			if (line === "") {
				ready.push(one);
				one = {};
			} else if (line.startsWith("id:") || line.startsWith("event:")) {
				one[line.slice(0, at)] = value;
			} else if (line.startsWith("data:")) {
				one.data = parse(value);
			}
		}
		yield ready;
	}
}

const PIECE = 16 << 20;

/**
 * A file, whatever its size: pieces of it become Blobs, which browsers keep on the disk. tell(octets): called as it comes.
 */
export async function file(path, tell, signal = undefined) {
	const reader = (await ask(path, {}, signal)).body.getReader();
	const pieces = [];
	let some = [], size = 0, told = 0;

	try {
		for (;;) {
			const {done, value} = await reader.read();

			if (done)
				return new Blob([...pieces, ...some], {type: "application/octet-stream"});
			some.push(value);
			size += value.length;
			if (size - told < PIECE && told > 0)
				continue;
			pieces.push(new Blob(some));
			some = [];
			told = size;
			tell(size);
		}
	} catch (error) {
		throw error.name === "AbortError" ? error : new Refusal(-1);
	} finally {
		reader.cancel().catch(() => {});
	}
}

/**
 * The same question as a command. The key is not in it, but stands for a variable of the shell: what is copied goes to
 * tickets and into histories. options: of curl.
 */
export function command(path, params = {}, options = "") {
	const query = new URLSearchParams(Object.entries(params).filter(([, v]) => v !== undefined && v !== "")).toString();

	return `curl ${options}-H "X-API-Key: $key" '${location.origin}${path}${query ? `?${query}` : ""}'`;
}

/* ---- who asks ---- */

const ROLES = ["nobody", "metrics", "pdns", "log", "analyst", "admin"];

let self = null; // what /v1 says

export function who() {
	return self;
}

export function may(role) {
	return self !== null && ROLES.indexOf(self.role) >= ROLES.indexOf(role);
}

// Who has this key; if it is good it is the one that is asked with from now on.
export async function sign(text = key) {
	const answer = await ask("/v1", {}, undefined, "*/*", text);

	try {
		self = await answer.json();
	} catch {
		throw new Refusal(-1);
	}
	key = text;
	sessionStorage.setItem(STORED, text);
}

export function leave() {
	const left = key;

	key = "";
	sessionStorage.removeItem(STORED);
	self = null;
	if (left)
		tabs.postMessage({left});
}

/* ---- other tabs ---- */

const ANSWER_MS = 150;

// Links are followed into new tabs, which begin without a key. Only pages of this origin hear what is said here.
const tabs = new BroadcastChannel(STORED);

tabs.addEventListener("message", ({data}) => {
	if (data.wanted && self)
		tabs.postMessage({key});
	else if (data.key && !self)
		dispatchEvent(new CustomEvent("offered", {detail: data.key}));
	else if (data.left && data.left === key) {
		leave();
		dispatchEvent(new CustomEvent("left"));
	}
});

// The key of another tab, if there is one that is signed in. One that answers later is told of by the event "offered" alone.
export function borrow() {
	return new Promise((done) => {
		addEventListener("offered", (event) => done(event.detail), {once: true});
		tabs.postMessage({wanted: true});
		setTimeout(() => done(""), ANSWER_MS);
	});
}
