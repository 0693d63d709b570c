// SPDX-License-Identifier: BSD-3-Clause
// Search of passive DNS, and what leads on from there.
import {readFileSync} from "node:fs";

import {ADDRESS, KEYS, check, count, equal, faults, go, open, said, settled, texts} from "./bed.mjs";

const HTML = "<img src=x onerror=alert(1)>";

/* ---- search ---- */

export async function searching() {
	const page = await open({role: "analyst"});
	const find = async (text) => {
		await page.fill("#q", text);
		await page.keyboard.press("Enter");
		await settled(page);
		return (await texts(page, "tbody tr")).length;
	};

	equal("a name is found", await find("shop.example"), 7);
	equal("with names, addresses and first and last seen as links and times",
		[await count(page, "tbody time"), (await texts(page, ".data a")).sort()], [14, ["192.0.2.10", "192.0.2.99", "mail.shop.example",
			"ns1.hosting.example", "ns1.hosting.example", "ns2.hosting.example"]]);
	check("the sensors' class is told", (await page.innerText("table")).includes("resolvers"));
	equal("the newest is first", await page.locator("thead [aria-sort]").getAttribute("aria-sort"), "descending");
	equal("the timeline has a bar for each, and says so", [await count(page, ".stripe rect"),
		/^Timeline of 7 rows/.test(await page.locator(".timeline [role=img]").getAttribute("aria-label"))], [7, true]);
	equal("data that looks like markup is text", [await count(page, "main img"), (await page.innerText("table")).includes(HTML)],
		[0, true]);
	equal("a name and all below it are found", await find("*.shop.example"), 14);
	equal("also a name that looks like markup", await count(page, "tbody th a:has-text('img')"), 1);
	await page.click("tbody th a:has-text('img')");
	await settled(page);
	equal("which is a link as others are", [(await texts(page, "tbody tr")).length, await count(page, "main img")], [1, 0]);
	equal("all that begins so", await find("www.shop.*"), 3);
	equal("an address is told from a name", [await find("192.0.2.10"), await texts(page, "h2")], [2, ["Names with an address in 192.0.2.10"]]);
	equal("and a network", await find("198.51.100.0/24"), 6);
	equal("of IPv6, too", await find("2001:db8::/32"), 1);
	equal("a range", await find("198.51.100.1-198.51.100.2"), 2);
	equal("what a report has made harmless is read", await find("hxxps://www.shop[.]example/x?y=z"), 3);
	equal("a U-label is asked for as DNS has it", [await find("名前.example"), new URL(page.url()).hash.includes("%E5")], [1, true]);
	equal("long data shows its begin", [await find("txt.long.example"), (await texts(page, ".data .cell")).map((text) => text.length)],
		[2, [200 + "… 1,863 characters more".length, 13]]);
	await page.click(".rest-of");
	equal("and all on demand", (await texts(page, ".data .cell"))[0].length, 8 * 258 - 1);
	equal("blanks stay as they are", (await texts(page, ".data .cell"))[1], "\"two  blanks\"");
	equal("nothing is told of", [await find("absent.shop.example"), await said(page)], [0, "Nothing was found."]);
	await find("10.77.0.0/33");
	await page.waitForSelector(".said");
	equal("what is no network is looked for as a name, and found nowhere", await count(page, "tbody tr"), 0);
	await find("a..b");
	equal("what is no name is refused in words", await faults(page), ["The collector does not understand what was asked."]);
	check("with what the collector says", (await page.innerText(".detail [lang=en]")).includes("empty label"), await page.innerText(".detail"));
	await page.context().close();
}

export async function narrowing() {
	const page = await open({role: "pdns"});
	const day = (ago) => new Date(Date.now() - ago * 86400000).toISOString().slice(0, 10);
	const rows = async (query) => {
		await go(page, `#/search?q=${encodeURIComponent("*.shop.example")}${query}`);
		return count(page, "tbody tr");
	};

	equal("by type", await rows("&type=MX"), 1);
	// An hour ago may have been yesterday.
	equal("by the last time", [await rows(`&after=${day(1)}`) >= 4, await rows(`&after=${day(-1)}`)], [true, 0]);
	equal("by the first time", await rows(`&before=${day(250)}`), 4);
	equal("by when it was first seen, or last, or only", [await rows(`&fence=first&after=${day(45)}&before=${day(20)}`),
		await rows(`&fence=last&before=${day(4)}`), await rows(`&fence=within&after=${day(45)}&before=${day(4)}`)], [2, 1, 1]);
	equal("by so many days before now", [await rows("&fence=first&after=301d&before=190d"), await rows("&fence=first&after=1h")], [2, 3]);
	equal("to the minute", await rows(`&fence=last&after=${day(2).replace(" ", "T")} 00:00&before=${day(0)} 23:59`) >= 10, true);
	await rows("&after=soon");
	equal("a time that is none is refused in words", await faults(page), ["The collector does not understand what was asked."]);
	equal("by sensor", await rows("&sensor=resolver"), 3);
	equal("by what leads to a name", [await rows("&by=rdata"), (await texts(page, "tbody th a")).sort()],
		[3, ["_sip._udp.shop.example", "shop.example", "www.shop.example"]]);
	await go(page, "#/search?q=shop.example");
	await page.fill("input[name=type]", "NS");
	await page.click("text=Apply");
	await settled(page);
	equal("by the form", [await count(page, "tbody tr"), new URL(page.url()).hash.includes("type=NS")], [2, true]);
	await page.fill("input[name=type]", "NOSUCH");
	await page.click("text=Apply");
	await page.waitForSelector("[role=alert]");
	check("a type that is none is refused in words", (await page.innerText(".detail")).includes("type: expected"));
	await page.context().close();
}

export async function paging() {
	const page = await open({role: "pdns"});

	await go(page, "#/search?q=*.many.example");
	equal("a page has so many rows", [await count(page, "tbody tr"), await said(page)], [100, "100 rows, and there are more."]);
	await page.click("text=More rows");
	await settled(page);
	equal("the next comes behind it", [await count(page, "tbody tr"), new Set(await texts(page, "tbody th")).size], [200, 200]);
	await go(page, "#/search?q=*.many.example&limit=500");
	await page.click("text=More rows");
	await settled(page);
	equal("at the end there is no more", [await count(page, "tbody tr"), await page.locator("text=More rows").isVisible(),
		new Set(await texts(page, "tbody th")).size], [720, false, 720]);
	await page.click("thead button:has-text('Count')");
	equal("columns are sorted by a click", (await texts(page, "tbody tr:nth-child(-n+2) td:nth-child(6)")), ["720", "719"]);
	await page.click("thead button:has-text('Count')");
	equal("and the other way by another", [(await texts(page, "tbody tr:nth-child(-n+2) td:nth-child(6)")),
		await page.locator("thead [aria-sort]").getAttribute("aria-sort")], [["1", "2"], "ascending"]);
	equal("the focus stays where it was", await page.evaluate(() => document.activeElement.className), "sort");
	check("the timeline says that it has a part", (await page.innerText("figcaption")).includes("40 that were seen last"));
	await go(page, "#/search?q=*.shop.example");
	for (const [button, name] of [["Save as JSON", "passive-dns.json"], ["Save as NDJSON", "passive-dns.ndjson"],
		["Save as CSV", "passive-dns.csv"]]) {
		const [download] = await Promise.all([page.waitForEvent("download"), page.click(`[aria-label="${button}"]`)]);
		const text = readFileSync(await download.path(), "utf8");

		equal(`${button}: its name`, download.suggestedFilename(), name);
		equal("its rows", button.includes(" JSON") ? JSON.parse(text).length : text.trim().split("\n").length - button.includes("CSV"), 14);
		if (button.includes(" JSON"))
			check("each as the API has it", JSON.parse(text).every((row) => row.rrname && row.classes.length && row.time_first), text);
	}
	await page.context().close();
}

// Thousands of rows: those at the top are drawn, all are sorted and saved.
export async function crowding() {
	const page = await open({role: "pdns"});

	await go(page, "#/search?q=*.crowd.example&limit=5000");
	await page.click("text=More rows");
	await settled(page);
	equal("of thousands of rows some are drawn", [await count(page, "tbody tr"), (await said(page)).slice(0, 11), await page.innerText(".rest p")],
		[1000, "5,300 rows.", "The first 1,000 of 5,300 rows are shown. Sorting and files are of all of them."]);
	await page.click("thead button:has-text('Count')");
	equal("all of them are sorted", await page.innerText("tbody tr:first-child td:nth-child(6)"), "5,300");
	await page.click("text=Show 1,000 more");
	equal("more are drawn on demand, and reading goes on there", [await count(page, "tbody tr"), await page.evaluate(() =>
		document.activeElement.closest("tr") === document.querySelectorAll("tbody tr")[1000])], [2000, true]);
	const [download] = await Promise.all([page.waitForEvent("download"), page.click("[aria-label='Save as NDJSON']")]);

	equal("a file has all", readFileSync(await download.path(), "utf8").trim().split("\n").length, 5300);
	await page.context().close();
}

// An answer that comes when nobody waits for it any more.
export async function lateness() {
	const page = await open({role: "pdns"});
	let let_go;
	const held = new Promise((done) => {
		let_go = done;
	});
	const gone = new Promise((done) => page.on("requestfailed", (request) => request.url().includes("www.shop.example") && done(true)));

	await page.route("**/v1/pdns?name=www.shop.example*", async (route) => {
		await held;
		await route.continue().catch(() => {});
	});
	await page.evaluate(() => {
		location.hash = "#/search?q=www.shop.example";
	});
	await page.waitForSelector("[aria-busy]");
	await go(page, "#/search?q=shop.example");
	equal("a question that is left is taken back", await gone, true);
	let_go();
	await page.waitForTimeout(300);
	equal("and its answer never shown", [await texts(page, "h2"), await count(page, "tbody tr")], [["Records of shop.example"], 7]);
	await page.unroute("**/v1/pdns?name=www.shop.example*");
	await page.route("**/v1/pdns?name=shop.example*", (route) => route.fulfill({status: 429, body: "{\"error\":\"rate\"}"}), {times: 1});
	await page.click(".find button");
	await page.waitForSelector("button:text-is('Try again')");
	equal("who asks for the same again gets it anew", await faults(page), ["Too many questions at once. Try again in 1 s."]);
	await page.click("button:text-is('Try again')");
	await settled(page);
	equal("and what went wrong can be tried again", [await count(page, "tbody tr"), await faults(page)], [7, []]);
	await go(page, "#/constructor");
	equal("a view that is none is the first one", await texts(page, "h1"), ["Passive DNS"]);
	await page.context().close();
}

export async function moving() {
	const page = await open({role: "pdns"});
	const hash = () => decodeURIComponent(new URL(page.url()).hash);

	await go(page, "#/search?q=shop.example");
	await page.click("tbody a:text-is('ns1.hosting.example') >> nth=0");
	await settled(page);
	equal("a name server is a link", [hash(), await texts(page, "h2")], ["#/search?q=ns1.hosting.example", ["Records of ns1.hosting.example"]]);
	await page.click(".pivots >> text=What leads to it");
	await settled(page);
	equal("to what leads to it", (await texts(page, "tbody th")).sort(), ["shop.example", "shop.example", "shop.test"]);
	await page.goBack();
	await settled(page);
	equal("back leads back", await texts(page, "h2"), ["Records of ns1.hosting.example"]);
	await page.goBack();
	await settled(page);
	equal("twice", [hash(), await count(page, "tbody tr")], ["#/search?q=shop.example", 7]);
	await page.goForward();
	await settled(page);
	equal("forward leads forward", await texts(page, "h2"), ["Records of ns1.hosting.example"]);
	await go(page, "#/search?q=192.0.2.10");
	await page.click(".pivots >> text=Network around it");
	await settled(page);
	equal("an address leads to its network", hash(), "#/search?q=192.0.2.0/24");
	await go(page, "#/search?q=2001:db8:10::1");
	await page.click(".pivots >> text=Network around it");
	await settled(page);
	equal("also one of IPv6", [hash(), await count(page, "tbody tr")], ["#/search?q=2001:db8:10::/48", 1]);
	await go(page, "#/search?q=shop.example");
	for (const [text, view] of [["Look-alikes", "similar"], ["What it shares", "shared"], ["How its addresses change", "flux"], ["Is it listed?", "filter"]])
		equal(`${text}: a link`, await page.locator(`.pivots >> text=${text}`).getAttribute("href"), `#/${view}?name=shop.example`);
	const other = await page.context().newPage();

	await other.goto(`${ADDRESS}#/search?q=shop.example&type=MX`);
	await other.waitForSelector("tbody tr");
	equal("a tab beside it needs no key again", await count(other, "tbody tr"), 1);
	await page.click("text=Sign out");
	await other.waitForSelector("input[name=key]");
	equal("who signs out in one tab is out in all", await other.evaluate(() => sessionStorage.length), 0);
	await other.fill("input[name=key]", KEYS.pdns);
	await other.keyboard.press("Enter");
	await other.waitForSelector("tbody tr");
	equal("a link from elsewhere leads there, through the door", await count(other, "tbody tr"), 1);
	const late = await open();

	await late.evaluate((key) => new BroadcastChannel("dnsweir.key").postMessage({key}), KEYS.pdns);
	await late.waitForSelector("nav");
	equal("a tab whose answer comes late opens the door that is there already", await texts(late, "h1"), ["Passive DNS"]);
	await late.context().close();
	await page.context().close();
}

/* ---- names of other scripts ---- */

export async function scripts() {
	const page = await open({role: "pdns"});

	await go(page, "#/similar?name=shop.example");
	const rows = (await texts(page, "tbody tr")).map((text) => text.replace(/\s+/g, " "));
	const like = (text) => rows.find((row) => row.includes(text)) ?? "";

	check("look-alikes are found", like("sh0p.example").includes("letters that look alike") && like("shop.test").includes("another suffix"),
		rows.join("\n"));
	check("a name is shown both ways, and mixed scripts are told of", /xn--\S+ sh\u043ep\.example ⚠ letters of several scripts/.test(like("sh\u043ep")),
		rows.join("\n"));
	check("letters that cannot be told from Latin ones, too", like("\u0455\u04bb\u043e\u0440").includes("⚠ looks like Latin letters, is not"),
		rows.join("\n"));
	await go(page, "#/search?q=名前.example");
	equal("a name of one script is shown both ways without a warning", [await page.locator("tbody bdi").innerText(), await count(page, ".warning")],
		["名前.example", 0]);
	const read = (name) => page.evaluate(async (text) => (await import("/portal/names.js")).reading(text), name);

	equal("RFC 3492's own example", (await read("xn--3B-ww4c5e180e575a65lsy2b".toLowerCase())).text, "3年b組金八先生");
	equal("Japanese has three scripts and Latin", (await read("xn--3b-ww4c5e180e575a65lsy2b")).warnings, []);
	for (const bad of ["xn--a-", "xn--99999999", "xn--\u00e9", "xn--", "xn--5ck"])
		check(`${bad} does not stop anything`, Array.isArray((await read(bad)).warnings));
	equal("what turns the direction of text is not shown", await read("xn--ab-h4t"),
		{text: "", warnings: ["idn.bad"]});
	await page.click(".find button");
	await go(page, "#/similar");
	await page.fill("input[name=name]", "Shop.Example");
	await page.fill("input[name=words]", "login secure");
	await page.click("text=Show");
	await settled(page);
	check("words may be given", (await page.innerText("table")).includes("shop-login.example"), await page.innerText("main"));
	await page.context().close();
}
