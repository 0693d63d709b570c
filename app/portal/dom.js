// SPDX-License-Identifier: BSD-3-Clause
// Elements. All text becomes text nodes: nothing here, or anywhere else, takes markup.
import {TIME_PATTERN} from "/portal/text.js";

const SVG = "http://www.w3.org/2000/svg";

function append(node, children) {
	for (const child of children.flat(Infinity)) {
		if (child === null || child === undefined || child === false)
			continue;
		node.append(child instanceof Node ? child : document.createTextNode(String(child)));
	}
	return node;
}

function fill(node, props, children) {
	for (const [name, value] of Object.entries(props)) {
		if (value === null || value === undefined || value === false)
			continue;
		if (name.startsWith("on"))
			node.addEventListener(name.slice(2), value);
		else
			node.setAttribute(name, value === true ? "" : String(value));
	}
	return append(node, children);
}

// An element; props are attributes, and listeners as onclick.
export function el(tag, props = {}, ...children) {
	return fill(document.createElement(tag), props, children);
}

export function svg(tag, props = {}, ...children) {
	return fill(document.createElementNS(SVG, tag), props, children);
}

export function replace(node, ...children) {
	node.replaceChildren();
	return append(node, children);
}

let numbers = 0;

function unique(prefix) {
	return `${prefix}-${++numbers}`;
}

// A label and its control.
export function field(text, control, props = {}) {
	control.id ||= unique("field");
	return el("div", {class: "field", ...props}, el("label", {for: control.id}, text), control);
}

// A <select> out of [value, text].
export function choice(name, options, value) {
	const select = el("select", {name}, options.map(([v, text]) => el("option", {value: v}, text)));

	select.value = options.some(([v]) => String(v) === String(value)) ? String(value) : String(options[0][0]);
	return select;
}

// A field for a time as readTime() takes it. Fields of the browser's own would have dates as its language has them, and no seconds.
export function timeField(text, name, value, hint, props = {}, around = {}) {
	return field(text, el("input", {name, value, pattern: TIME_PATTERN, placeholder: "YYYY-MM-DD", title: hint, size: 12,
		autocomplete: "off", spellcheck: "false", ...props}), around);
}

// Go to a view. Who asks for the one that is there wants it anew.
export function visit(hash) {
	if (location.hash === hash)
		dispatchEvent(new HashChangeEvent("hashchange"));
	else
		location.hash = hash;
}

// What a form has, without what is empty.
export function values(form) {
	const all = Object.fromEntries(new FormData(form));

	return Object.fromEntries(Object.entries(all).map(([k, v]) => [k, v.trim()]).filter(([, v]) => v !== ""));
}
