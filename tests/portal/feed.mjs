// SPDX-License-Identifier: BSD-3-Clause
// The feed as it comes, daily dumps, and what is taken along: files, copies, commands.
import {execFileSync} from "node:child_process";
import {readFileSync, statSync} from "node:fs";
import {gunzipSync} from "node:zlib";

import {ADDRESS, KEYS, check, count, equal, faults, go, open, settled, texts} from "./bed.mjs";
import {picture} from "./views.mjs";

const rows = (page) => count(page, "table.plain tbody tr");
const came = async (page) => Number((await page.innerText(".following .faint")).replace(/\D/g, ""));

/* ---- the feed ---- */

export async function following() {
	const page = await open({role: "pdns"});

	await go(page, "#/feed");
	await page.waitForSelector("table.plain tbody tr");
	equal("it is said once that the feed is followed", await page.innerText(".following [role=status]"), "Following.");
	await page.waitForFunction(() => document.querySelectorAll("table.plain tbody tr").length > 5);
	check("what is written is shown", (await page.innerText("table.plain")).includes("www.shop.example"), await page.innerText("main"));
	await page.locator("table.plain tbody a").first().focus();
	const held = await page.evaluate(() => {
		window.held = document.activeElement;
		return document.querySelectorAll("table.plain tbody tr").length;
	});

	await page.waitForFunction((n) => document.querySelectorAll("table.plain tbody tr").length > n, held);
	check("who stands on a row stands there still when others come", await page.evaluate(() => document.activeElement === window.held));
	// Rows of one write are in no order of time.
	check("what came later stands above", await page.evaluate((n) => {
		const all = [...document.querySelectorAll("table.plain tbody tr")];

		return all.indexOf(window.held.closest("tr")) === all.length - n;
	}, held));
	await page.click("button:text-is('Pause')");
	const shown = await rows(page);

	await page.waitForFunction(() => /Paused; [1-9]/.test(document.querySelector(".following").textContent));
	equal("in a pause rows are counted, not shown", await rows(page), shown);
	await picture(page, "feed-paused");
	await page.click("button:text-is('Pause')");
	await page.waitForFunction((n) => document.querySelectorAll("table.plain tbody tr").length > n, shown);
	check("and shown afterwards", true);
	await page.fill("input[name=name]", "*.bad[.]example");
	await page.click("text=Apply");
	await page.waitForSelector("table.plain tbody tr");
	equal("a filter is in the address, as the feed is asked for", [new URL(page.url()).hash, [...new Set(await texts(page, "table.plain th a"))]],
		["#/feed?name=*.bad%5B.%5Dexample", ["c2.bad.example"]]);
	const command = await page.locator(".command code").first().textContent();

	check("the command that follows it has no key, but the filter", command.includes("name=*.bad.example") && command.includes('"X-API-Key: $key"') &&
		!command.includes(KEYS.pdns), command);
	let line = "";

	try {
		execFileSync("sh", ["-c", command.replace("curl ", "curl -sS --max-time 4 ")], {stdio: "pipe", env: {...process.env, key: KEYS.pdns}});
	} catch (error) {
		line = String(error.stdout).split("\n").find((text) => text.includes("rrname")) ?? String(error.stderr);
	}
	check("and works", line.includes("c2.bad.example"), line);
	await page.click("nav >> text=Search");
	await page.waitForTimeout(300);
	await go(page, "#/feed?name=a..b");
	await page.waitForSelector("[role=alert]");
	equal("what is no name is refused in words", await faults(page), ["The collector does not understand what was asked."]);
	equal("and not asked for again", await page.locator("button:text-is('Pause')").isVisible(), false);
	await page.context().close();
}

const HOSTILE = {rrname: "<img src=x onerror=alert(1)>\"'.example", rrtype: "constructor", rdata: ["\"</td><script>alert(1)</script>\"", "\u202egpj.exe"],
	sensor_id: "__proto__", time_first: 1e300, time_last: 1e300, count: 1};

// A feed whose connection breaks, and whose cursor is good no more, as a server would have it.
export async function breaking() {
	const page = await open({role: "pdns"});
	const cursors = [];
	const event = (n) => `id: c${n}\ndata: {"rrname":"n${n}.example","rrtype":"A","rdata":"192.0.2.1","time_first":1,"time_last":${n},"count":1}\n\n`;
	const answers = [
		{body: "id: c0\n\n" + event(1) + "id: c2\ndata: {\"rr"},
		{body: event(2) + "event: end\ndata: {\"error\":\"kept no more\",\"status\":410,\"cursor\":\"c9\"}\n\n"},
		{body: Array.from({length: 300}, (_, i) => event(i + 3)).join("") + `id: c303\ndata: ${JSON.stringify(HOSTILE)}\n\n`},
		{status: 403, body: "{\"error\":\"no\"}"},
	];

	await page.route("**/v1/feed*", (route) => {
		cursors.push(new URL(route.request().url()).searchParams.get("from"));
		route.fulfill({status: 200, contentType: "text/event-stream", ...answers[Math.min(cursors.length, answers.length) - 1]});
	});
	await go(page, "#/feed");
	await page.waitForSelector("[role=alert]", {timeout: 20000});
	equal("a connection that broke goes on where it was, and from now where that is kept no more", cursors.slice(0, 3), ["now", "c1", "now"]);
	check("that rows are missing is told of", (await page.innerText("main")).includes("some rows are missing here"));
	await page.waitForFunction(() => document.querySelectorAll("table.plain tbody tr").length === 200);
	equal("so many rows are kept, and all counted", [await page.innerText("table.plain tbody tr:nth-child(2) th"), await came(page)],
		["n302.example", 303]);
	equal("whatever a row has is text", [await page.innerText("table.plain tbody tr:first-child th a"), await count(page, "main img, main script")],
		[HOSTILE.rrname, 0]);
	await page.context().close();
}

// Nobody sees the page for a minute, which takes a tenth of a second here.
export async function hiding() {
	const page = await open({role: "pdns"});
	const asked = [];
	const hide = (isHidden) => page.evaluate((is) => {
		Object.defineProperty(document, "hidden", {configurable: true, get: () => is});
		document.dispatchEvent(new Event("visibilitychange"));
	}, isHidden);

	await page.evaluate(() => {
		const wait = window.setTimeout;

		window.setTimeout = (what, ms) => wait(what, ms === 60000 ? 100 : ms);
	});
	page.on("request", (request) => request.url().includes("/v1/feed") && asked.push(new URL(request.url()).searchParams.get("from")));
	await go(page, "#/feed");
	await page.waitForSelector("text=Following.");
	await hide(true);
	await page.waitForSelector("text=Stopped while the page was not seen.");
	await hide(false);
	await page.waitForSelector("text=Following.");
	equal("a page that is not seen lets go of the feed, and goes on from now", asked, ["now", "now"]);
	await page.context().close();
}

export async function dumping() {
	const page = await open({role: "pdns"});

	for (let i = 0; i < 100; i++) {
		if ((await (await fetch(`${ADDRESS}v1/dumps/`, {headers: {"X-API-Key": KEYS.pdns}})).json()).files.length > 0)
			break;
		await page.waitForTimeout(100);
	}
	await go(page, "#/feed");
	await page.waitForSelector("text=Files of days");
	const names = await texts(page, "section tbody th");

	check("dumps are there with what they are", names.length === 7 && names.some((name) => /^tuples_\d{8}\.ndjson\.gz$/.test(name)) &&
		(await page.innerText("section table")).includes("name servers (CSV)") && /\d B|KiB/.test(await page.innerText("section table")), names.join());
	const [download] = await Promise.all([page.waitForEvent("download"), page.click("section tr:has-text('tuples_') button")]);
	const path = await download.path();

	check("one is saved whole, under its name", /^tuples_/.test(download.suggestedFilename()) && statSync(path).size > 0 &&
		gunzipSync(readFileSync(path)).toString().split("\n").filter(Boolean).every((text) => JSON.parse(text).rrname), download.suggestedFilename());
	await page.context().close();
}

/* ---- what is taken along ---- */

export async function taking() {
	const page = await open({role: "pdns"});

	await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
	const clipboard = () => page.evaluate(() => navigator.clipboard.readText());

	await go(page, "#/search?q=*.shop.example");
	await page.click("[aria-label='Copy the rows as they are shown']");
	await page.waitForSelector("text=Copied.");
	const lines = (await clipboard()).trim().split("\n").map((text) => text.split("\t"));

	equal("rows are copied as a table", [lines.length, lines.every((line) => line.length === 7), lines[0][0]], [15, true, "Name"]);
	await page.check("#harmless");
	await settled(page);
	check("names are shown so that nobody opens them", (await texts(page, "tbody th")).every((text) => text.includes("[.]") && !/[^[]\.[^\]]/.test(text)),
		(await texts(page, "tbody th")).join("\n"));
	equal("the focus stays", await page.evaluate(() => document.activeElement.id), "harmless");
	await page.click("[aria-label='Copy what was searched for']");
	await page.waitForSelector("text=Copied.");
	equal("and are copied so", await clipboard(), "*[.]shop[.]example");
	await page.fill("#q", "hxxps[://]www[.]shop(dot)example/x");
	await page.keyboard.press("Enter");
	await settled(page);
	equal("and are read again", (await texts(page, "tbody tr")).length, 3);
	await page.reload();
	await settled(page);
	check("which the browser remembers", await page.isChecked("#harmless"));
	await page.uncheck("#harmless");
	const command = await page.locator(".command code").textContent();
	const found = execFileSync("sh", ["-c", command.replace("curl ", "curl -sS ")], {stdio: "pipe", env: {...process.env, key: KEYS.pdns}}).toString();

	equal("a search as a command finds the same", found.split("\n").filter((text) => text.includes("rrname")).length, 3);
	await page.context().close();
}
