// SPDX-License-Identifier: BSD-3-Clause
// What holds of every view: keys, languages, widths, and what axe-core says.
import {readFileSync} from "node:fs";
import {join} from "node:path";

import {LANGUAGES, SHOTS, browser, check, count, equal, go, open, require, said, settled} from "./bed.mjs";

/* ---- for everybody ---- */

export async function keyboard() {
	const page = await open({role: "pdns"});
	const at = () => page.evaluate(() => document.activeElement.id || document.activeElement.tagName);

	await page.keyboard.press("Tab");
	equal("the first stop skips to the content", await page.evaluate(() => document.activeElement.className), "skip");
	check("and is seen then", (await page.locator(".skip").boundingBox()).y >= 0);
	await page.keyboard.press("Enter");
	equal("where the focus goes", [await at(), new URL(page.url()).hash], ["main", ""]);
	await page.keyboard.press("/");
	equal("a key leads to the search box", await at(), "q");
	await page.keyboard.type("shop.example/");
	equal("where it is a letter as others", await page.inputValue("#q"), "shop.example/");
	await page.fill("#q", "shop.example");
	await page.keyboard.press("Enter");
	await settled(page);
	equal("reading goes on at the heading of what is new", await at(), "H1");
	equal("without a ring, since nothing is to be done there", await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none");
	equal("and what was found is said", [await page.locator(".said").getAttribute("role"), await said(page)], ["status", "7 rows."]);
	await page.uncheck("#shortcuts");
	await page.locator("h1").focus();
	await page.keyboard.press("/");
	equal("the key can be turned off", await at(), "H1");
	await page.check("#shortcuts");
	const stops = new Set();

	await page.evaluate(() => document.activeElement.blur());
	for (let i = 0; i < 120; i++) {
		await page.keyboard.press("Tab");
		stops.add(await page.evaluate(() => {
			const e = document.activeElement;
			const style = getComputedStyle(e);

			return e === document.body || e.id === "main" ? "" : `${e.tagName} ${e.textContent || e.name || e.id}${style.outlineStyle === "none" ? " UNSEEN" : ""}`;
		}));
	}
	check("everything can be reached by Tab, and is seen there", stops.size > 30 && ![...stops].some((s) => s.includes("UNSEEN")) &&
		[...stops].some((s) => s.startsWith("BUTTON CSV")) && [...stops].some((s) => s.startsWith("BUTTON Count")),
		[...stops].join("\n"));
	await page.context().close();
}

export async function languages() {
	const page = await open({language: "ja", role: "pdns"});
	const tell = () => page.evaluate(() => [document.documentElement.lang, document.querySelector("h1").textContent, document.title]);

	equal("a Japanese browser gets Japanese", await tell(), ["ja", "パッシブ DNS", "パッシブ DNS – dnsweir"]);
	await go(page, "#/search?q=shop.example");
	await page.click("text=English");
	await settled(page);
	equal("a button says English", (await tell())[0], "en");
	equal("and what was found is still there", await count(page, "tbody tr"), 7);
	await page.reload();
	await settled(page);
	equal("which stays", (await tell())[0], "en");
	await page.context().close();
}

const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = {
	search: "#/search", name: "#/search?q=*.shop.example", long: "#/search?q=*.long.example", similar: "#/similar?name=shop.example", new: "#/new?since=3600", flux: "#/flux",
	shared: "#/shared?name=shop.example", feed: "#/feed?name=*.bad.example", filter: "#/filter?name=c2.bad.example", hits: "#/clients?what=hits&id=EX-1",
	contacts: "#/clients?what=contacts", live: "#/live", wrong: "#/search?q=a..b",
};

// rules: those alone, or all of them.
async function axe(page, what, rules = null) {
	const found = await page.evaluate(async ([source, only]) => {
		// The policy of the page lets no script in, so it comes through the debugger.
		if (!window.axe)
			(0, window.eval)(source);
		return (await window.axe.run(document, {resultTypes: ["violations"], ...(only ? {runOnly: only} : {})})).violations;
	}, [AXE, rules]).catch((error) => [{impact: "critical", id: "axe does not run", nodes: [], help: error.message}]);
	const serious = found.filter((fault) => ["serious", "critical"].includes(fault.impact));

	check(`${what}: axe finds no serious fault`, serious.length === 0,
		serious.map((f) => `${f.id}: ${f.help}\n${f.nodes.slice(0, 3).map((node) => node.html + "\n" + node.failureSummary).join("\n")}`).join("\n"));
}

// All of the page, if that is not of hundreds of rows.
export async function picture(page, name) {
	const isShort = await page.evaluate(() => document.documentElement.scrollHeight < 6000);

	await page.screenshot({path: join(SHOTS, `${name}.png`), fullPage: isShort});
}

async function viewsIn(language) {
	const page = await open({language, role: "analyst"});

	for (const [name, hash] of Object.entries(VIEWS)) {
		await go(page, hash);
		await axe(page, `${name}, ${language}`);
		for (const width of [1280, 768, 360]) {
			await page.setViewportSize({width, height: 800});
			await picture(page, `${name}-${language}-${width}`);
		}
		await page.setViewportSize({width: 320, height: 640});
		equal(`${name}, ${language}: 320 px are enough`, await page.evaluate(() => document.documentElement.scrollWidth), 320);
		await axe(page, `${name}, ${language}, 320 px`);
		for (const width of [600, 900, 1024]) {
			await page.setViewportSize({width, height: 800});
			equal(`${name}, ${language}: ${width} px are enough`, await page.evaluate(() => document.documentElement.scrollWidth), width);
		}
		await page.setViewportSize({width: 1280, height: 800});
		if (language === "en") {
			await page.emulateMedia({colorScheme: "dark"});
			await axe(page, `${name}, dark`, ["color-contrast"]);
			if (["name", "live"].includes(name))
				await picture(page, `${name}-dark`);
			await page.emulateMedia({colorScheme: "light"});
		}
	}
	if (language === "ja") {
		await go(page, VIEWS.name);
		await page.emulateMedia({media: "print"});
		await page.setViewportSize({width: 718, height: 1000});
		equal("on paper there is what was found, as a table, and nothing to press", await page.evaluate(() => [document.documentElement.scrollWidth,
			document.querySelectorAll("tbody tr").length, getComputedStyle(document.querySelector("tbody td")).display,
			[...document.querySelectorAll("main button:not(.sort), header, form")].some((e) => e.offsetParent)]), [718, 14, "table-cell", false]);
		await picture(page, "name-print");
		await page.emulateMedia({media: "screen"});
		await page.setViewportSize({width: 1280, height: 800});
	}
	await page.context().close();
	const door = await open({language, width: 360});

	await picture(door, `door-${language}-360`);
	await axe(door, `door, ${language}`);
	await door.context().close();
}

export async function views() {
	await Promise.all(Object.keys(LANGUAGES).map(viewsIn));
}
