// SPDX-License-Identifier: BSD-3-Clause
// The portal as those who use it have it, in Chromium: portal_test.mjs SHOTS FILES, started by plant.py. Prints TAP.
// SHOTS is a folder that gets a picture of each view, in three widths and both languages; FILES is app/portal.
import {existsSync, readdirSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";

import {ADDRESS, FILES, KEYS, asked, browser, check, complaints, count, equal, faults, go, open, score, settled, texts} from "./bed.mjs";
import {breaking, dumping, following, hiding, taking} from "./feed.mjs";
import {crowding, lateness, moving, narrowing, paging, scripts, searching} from "./search.mjs";
import {keyboard, languages, picture, views} from "./views.mjs";

/* ---- what is served ---- */

async function served() {
	const page = await fetch(ADDRESS);
	const policy = page.headers.get("content-security-policy");
	const tag = page.headers.get("etag");

	equal("the page comes without a key", [page.status, page.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
	check("its policy lets nothing in from outside, nor inline", policy.includes("default-src 'none'") && !policy.includes("unsafe") &&
		policy.includes("require-trusted-types-for 'script'") && policy.includes("frame-ancestors 'none'"), policy);
	equal("it comes packed, where that is taken", page.headers.get("content-encoding"), "gzip");
	equal("and plain, where it is not",
		(await fetch(ADDRESS, {headers: {"Accept-Encoding": "gzip;q=0"}})).headers.get("content-encoding"), null);
	equal("who has it already gets no other", (await fetch(ADDRESS, {headers: {"If-None-Match": tag}})).status, 304);
	for (const name of readdirSync(FILES).filter((name) => name !== "meson.build"))
		equal(`${name} is what was written`, await (await fetch(`${ADDRESS}portal/${name}`)).text(), readFileSync(join(FILES, name), "utf8"));
	for (const path of ["portal/", "portal/absent.js", "portal/..%2fapi.js", "portal/../portal/app.jsx"])
		check(`${path} is no other file`, (await fetch(ADDRESS + path)).status === (path === "portal/" ? 200 : 404));
	equal("API answers are not kept", (await fetch(`${ADDRESS}v1`, {headers: {"X-API-Key": KEYS.pdns}})).headers.get("cache-control"),
		"no-store");
}

async function words() {
	const books = {};

	for (const name of ["en", "ja"])
		books[name] = (await import(`data:text/javascript;base64,${readFileSync(join(FILES, `${name}.js`)).toString("base64")}`)).default;
	equal("both languages have the same words", Object.keys(books.ja).sort(), Object.keys(books.en).sort());
	equal("with the same values in them", Object.keys(books.en).filter((k) =>
		(books.en[k].match(/\{\d\}/g) ?? []).sort().join() !== (books.ja[k].match(/\{\d\}/g) ?? []).sort().join()), []);
	equal("Japanese is Japanese", Object.entries(books.ja).filter(([k, v]) => !/[぀-ヿ一-鿿]/.test(v) &&
		!/^(version|and|comma|nav\.flux|title\.flux|rule\.id|sign\.as|.*none)$/.test(k)).map(([k]) => k), []);
	const used = readdirSync(FILES).filter((f) => f.endsWith(".js")).flatMap((f) =>
		[...readFileSync(join(FILES, f), "utf8").matchAll(/\bt\("([^"]+)"/g)].map((m) => m[1]));

	equal("all words that are used are there", [...new Set(used)].filter((k) => !(k in books.en)), []);
}

/* ---- the door ---- */

async function door() {
	const page = await open();

	equal("without a key there is a door alone", [await texts(page, "h1"), await count(page, "nav")], [["Sign in"], 0]);
	await page.fill("input[name=key]", "0".repeat(64));
	await page.keyboard.press("Enter");
	await page.waitForSelector("[role=alert]");
	equal("a wrong key is refused in words", await faults(page), ["This key is none, or is not good any more."]);
	await page.fill("input[name=key]", "schlüssel");
	await page.keyboard.press("Enter");
	await page.waitForSelector("[role=alert]");
	equal("so is what can be none", await faults(page), ["This key is none, or is not good any more."]);
	await page.fill("input[name=key]", KEYS.pdns);
	await page.keyboard.press("Enter");
	await page.waitForSelector("nav");
	equal("a good one opens", await texts(page, "h1"), ["Passive DNS"]);
	equal("and is kept for the tab alone", await page.evaluate(() => [sessionStorage.length, JSON.stringify(localStorage), document.cookie]),
		[1, "{}", ""]);
	await page.reload();
	await page.waitForSelector("nav");
	equal("also over a reload", await texts(page, "h1"), ["Passive DNS"]);
	await page.click("text=Sign out");
	equal("who signs out is out", [await texts(page, "h1"), await page.evaluate(() => sessionStorage.length)], [["Sign in"], 0]);
	await page.reload();
	await page.waitForSelector("h1");
	equal("and stays out", await texts(page, "h1"), ["Sign in"]);
	await page.context().close();
}

async function roles() {
	const wanted = {
		metrics: ["Filtering", "Live"],
		pdns: ["Search", "Look-alikes", "New", "Fast flux", "Shared", "Feed", "Filtering", "Live"],
		analyst: ["Search", "Look-alikes", "New", "Fast flux", "Shared", "Feed", "Filtering", "Clients", "Live"],
	};

	for (const [role, views] of Object.entries(wanted)) {
		const page = await open({role});

		equal(`${role} sees its views`, await texts(page, "header nav a"), views);
		if (role === "metrics") {
			await go(page, "#/search?q=shop.example");
			equal("a view of another role is refused in words", await faults(page), ["Your key has no right to this."]);
		}
		await page.context().close();
	}
	const page = await open({role: "few"});

	await go(page, "#/search?q=shop.example");
	await go(page, "#/search?q=www.shop.example");
	equal("a quota that is used up is told of", await faults(page), ["Your key has no questions left for today."]);
	await page.context().close();
}

/* ---- signals ---- */

async function signals() {
	const page = await open({role: "pdns"});

	await go(page, "#/new?since=3600");
	const news = await page.innerText("table");

	check("what is new since an hour", news.includes("fresh.example") && !news.includes("hosting.example"), news);
	await page.selectOption("select[name=kind]", "rdata");
	await page.click("text=Show");
	await settled(page);
	check("of one kind", (await texts(page, "tbody tr")).every((text) => text.includes("data of a known name")) &&
		(await page.innerText("table")).includes("192.0.2.99"), await page.innerText("main"));
	await go(page, "#/flux");
	equal("names whose addresses come and go", [await texts(page, "tbody th"), await texts(page, "tbody td:nth-child(2)")],
		[["flux.bad.example"], ["100"]]);
	await go(page, "#/flux?name=shop.example");
	check("and of one domain", (await texts(page, "tbody th")).includes("shop.example"), await page.innerText("main"));
	await go(page, "#/shared?name=shop.example");
	const shared = (await texts(page, "tbody tr")).map((text) => text.replace(/\s+/g, " "));

	check("what is shared", shared.some((text) => /shop\.test name server ns1\.hosting\.example/.test(text)) &&
		shared.some((text) => /network 192\.0\.2\.0\/24/.test(text)), shared.join("\n"));
	await page.click("tbody a:text-is('192.0.2.0/24') >> nth=0");
	await settled(page);
	check("networks are links", decodeURIComponent(page.url()).endsWith("q=192.0.2.0/24"));
	await page.context().close();
}

/* ---- filtering ---- */

async function filtering() {
	const page = await open({role: "pdns"});

	await go(page, "#/filter");
	await page.fill("main input[name=name]", "c2.bad.example");
	await page.click("main button:text-is('Look')");
	await settled(page);
	const verdict = (await page.innerText(".cards")).replace(/\s+/g, " ");

	check("a listed name is, and why", /filtered Because of list c2, action sinkhole, identifier EX-1/.test(verdict), verdict);
	check("a box that does not answer is told of", verdict.includes("does not answer"));
	await go(page, "#/filter?name=shop.example");
	check("another is not", (await page.innerText(".cards")).includes("passes: not listed"));
	await go(page, "#/filter?name=good.bad.example");
	check("an exception is told of", (await page.innerText(".cards")).includes("Allowed by list good"));
	await go(page, `#/filter?name=${encodeURIComponent("a b")}`);
	equal("no name with a blank is handed on", await faults(page), ["The collector does not understand what was asked."]);
	await page.waitForSelector("table");
	const tables = (await texts(page, "table")).map((text) => text.replace(/\s+/g, " "));

	check("lists are shown with what they hold", /c2 sinkhole names 1 1 /.test(tables[0]) && /watch count only/.test(tables[0]), tables[0]);
	check("and malware identifiers with their counts", /EX-1 c2 sinkhole [\d,]+/.test(tables[1]), tables[1]);
	check("clients are for others", (await page.innerText("main")).includes("role analyst"));
	await page.context().close();
	const analyst = await open({role: "analyst"});

	await go(analyst, "#/clients");
	equal("nothing about clients is asked for unasked", await count(analyst, "table"), 0);
	await analyst.fill("input[name=id]", "EX-1");
	await analyst.click("text=Show");
	await settled(analyst);
	const hits = await texts(analyst, "tbody tr");

	check("analysts see who asked", hits.length > 2 && hits.every((text) => /c2\.bad\.example[\s\S]*203\.0\.113\.9[\s\S]*EX-1[\s\S]*198\.51\.100\.77/
		.test(text)), hits.slice(0, 2).join("\n"));
	equal("times are in UTC", (await analyst.locator("tbody time").first().innerText()).slice(0, 13),
		new Date().toISOString().slice(0, 13).replace("T", " "));
	await analyst.selectOption("select[name=what]", "contacts");
	await analyst.fill("input[name=id]", "");
	await analyst.click("text=Show");
	await settled(analyst);
	check("and what reached the sinkhole", (await analyst.innerText("table")).includes("203.0.113.9") &&
		(await analyst.innerText("table")).includes("TCP 443"), await analyst.innerText("main"));
	await analyst.context().close();
}

/* ---- live ---- */

async function living() {
	const page = await open({role: "metrics"});

	await page.selectOption("select[name=pause]", "2");
	await page.waitForFunction(() => document.querySelectorAll(".card polyline").length >= 4, null, {timeout: 15000});
	const rates = await texts(page, ".cards article:first-child .spark strong");

	check("rates are those of the traffic", Number(rates[0]) > 10 && Number(rates[0]) < 60 && Number(rates[2]) > 0.2 &&
		Number(rates[2]) < rates[0] / 4, rates.join());
	check("ports and their links are shown", (await page.innerText(".ports")).includes("Port 0, client side: net_af_packet0"),
		await page.innerText(".ports"));
	equal("a box that is not there is told of", await texts(page, ".cards article:nth-child(2) .state"), ["does not answer"]);
	await page.click("summary");
	check("what became of packets", (await page.innerText(".cards article:first-child table")).includes("listed, addresses replaced"));
	await page.waitForTimeout(2500);
	equal("stays open, with the focus, when it is drawn anew",
		await page.evaluate(() => [document.querySelector("details").open, document.activeElement.tagName]), [true, "SUMMARY"]);
	check("the collector's counters, too", /Query log\s+[1-9]/.test(await page.innerText(".card.wide")) &&
		/uid 0/.test(await page.innerText(".card.wide table")), await page.innerText(".card.wide"));
	await picture(page, "live-charts");
	await page.click("text=Pause");
	equal("it can be paused", await page.getAttribute("button:has-text('Pause')", "aria-pressed"), "true");
	let n = 0;

	page.on("request", () => n++);
	await page.waitForTimeout(2500);
	equal("and then asks nothing", n, 0);
	await page.context().close();
}

async function leaving() {
	const page = await open({role: "metrics"});

	await go(page, "#/live");
	await page.selectOption("select[name=pause]", "2");
	writeFileSync(process.env.PORTAL_CONTROL, "stop box");
	for (let i = 0; i < 100 && existsSync(process.env.PORTAL_CONTROL); i++)
		await page.waitForTimeout(100);
	await page.waitForFunction(() => document.querySelectorAll(".cards .state.bad").length === 2, null, {timeout: 10000});
	check("a box that went is told of", true);
	await page.context().close();
}

const PARTS = [served, words, door, roles, searching, narrowing, paging, crowding, lateness, moving, scripts, signals, filtering, keyboard, languages];
const WAITING = [living, taking, breaking, hiding, dumping, following]; // for what comes by itself
const wanted = process.env.PORTAL_PARTS ? process.env.PORTAL_PARTS.split(" ") : null;

async function run(part) {
	const begun = Date.now();

	if (wanted && !wanted.includes(part.name))
		return;
	try {
		await part();
	} catch (error) {
		check(`${part.name} comes to its end`, false, error.stack);
	}
	console.log(`# ${part.name}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

async function inTurn(parts) {
	for (const part of parts)
		await run(part);
}

// All of it waits more than it works.
await Promise.all([inTurn(PARTS), run(views), inTurn(WAITING)]);
await run(leaving);
equal("nothing complains on the console", complaints, []);
check("no key stands in any address", Object.values(KEYS).every((key) => asked.every((address) => !address.includes(key))));
check("nothing is asked of anybody else", asked.every((address) => address.startsWith(ADDRESS) || address.startsWith("blob:")),
	asked.find((address) => !address.startsWith(ADDRESS)));
await browser.close();
console.log(`1..${score.n}`);
console.log(`${score.n - score.failed} passed, ${score.failed} failed`);
process.exit(score.failed ? 1 : 0);
