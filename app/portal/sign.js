// SPDX-License-Identifier: BSD-3-Clause
// The door: a key is taken, tried, and kept for this tab.
import {Refusal, sign} from "/portal/api.js";
import {el, field, replace} from "/portal/dom.js";
import {fault} from "/portal/results.js";
import {t} from "/portal/text.js";

// in(): called when the key is good. error: why somebody is here again.
export function door(main, enter, error = null) {
	const input = el("input", {type: "password", name: "key", required: true, autocomplete: "current-password", spellcheck: "false"});
	const wrong = el("div", {}, error && fault(error));
	const button = el("button", {type: "submit", class: "primary"}, t("sign.in"));
	// What keeps passwords wants a name to keep this one under.
	const form = el("form", {class: "door", onsubmit: async (event) => {
		event.preventDefault();
		replace(wrong);
		button.disabled = true;
		try {
			// Nothing else can stand in a header.
			if (!/^[\x21-\x7e]+$/.test(input.value.trim()))
				throw new Refusal(401);
			await sign(input.value.trim());
			enter();
		} catch (refused) {
			replace(wrong, fault(refused));
			input.focus();
		}
		button.disabled = false;
	}}, el("input", {name: "username", autocomplete: "username", value: "dnsweir", hidden: true}), field(t("sign.key"), input), button);

	replace(main, el("p", {}, t("sign.words")), wrong, form);
	input.focus();
}
