// SPDX-License-Identifier: BSD-3-Clause
// What is asked of the API. The key is kept for this tab alone, and goes into a header, never into an address.
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

export function hasKey() {
	return key !== "";
}

export function keep(text) {
	key = text;
	sessionStorage.setItem(STORED, text);
}

export function forget() {
	key = "";
	sessionStorage.removeItem(STORED);
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

async function ask(path, params, signal) {
	const query = new URLSearchParams(Object.entries(params).filter(([, v]) => v !== undefined && v !== "")).toString();
	let answer;

	try {
		answer = await fetch(query ? `${path}?${query}` : path,
			{headers: {"X-API-Key": key}, credentials: "omit", redirect: "error", signal});
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

// Lines of JSON, as they come: some at a time.
export async function* lines(path, params = {}, signal = undefined) {
	const reader = (await ask(path, params, signal)).body.pipeThrough(new TextDecoderStream()).getReader();
	let rest = "";

	try {
		for (;;) {
			const {done, value} = await reader.read();
			const parts = (rest + (value ?? "")).split("\n");

			rest = parts.pop();
			if (parts.length > 0)
				yield parts.filter((line) => line !== "").map((line) => JSON.parse(line));
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

/* ---- who asks ---- */

const ROLES = ["nobody", "metrics", "pdns", "log", "analyst", "admin"];

let self = null; // what /v1 says

export function who() {
	return self;
}

export function may(role) {
	return self !== null && ROLES.indexOf(self.role) >= ROLES.indexOf(role);
}

export async function sign(signal) {
	self = null;
	self = await object("/v1", {}, signal);
	return self;
}

export function leave() {
	forget();
	self = null;
}
