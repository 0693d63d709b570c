// SPDX-License-Identifier: BSD-3-Clause
// What is taken elsewhere: a button that copies something, and a question as a command.
import {command} from "/portal/api.js";
import {el, replace} from "/portal/dom.js";
import {t} from "/portal/text.js";

const TOLD_MS = 2000;

// Copies what text() is when it is pressed. words: what stands on it; title: what it does, where that says more.
export function copier(text, words, title = null) {
	const told = el("span", {role: "status", class: "told"});
	const button = el("button", {type: "button", title, "aria-label": title, onclick: async () => {
		try {
			await navigator.clipboard.writeText(text());
			replace(told, t("copy.done"));
		} catch {
			// A browser may forbid it, as it does where the page came without TLS.
			replace(told, t("copy.failed"));
		}
		setTimeout(() => replace(told), TOLD_MS);
	}}, words);

	return [button, told];
}

// A command that asks the same, to be unfolded.
export function commandOf(path, params, {options = "", summary = t("command"), isOpen = false} = {}) {
	const text = command(path, params, options);

	return el("details", {class: "command", open: isOpen}, el("summary", {}, summary),
		el("pre", {translate: "no"}, el("code", {}, text)),
		el("div", {class: "actions"}, copier(() => text, t("copy"), t("copy.command"))));
}
