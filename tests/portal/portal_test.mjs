// SPDX-License-Identifier: BSD-3-Clause
// The portal as those who use it have it, in Chromium: portal_test.mjs SHOTS FILES, started by plant.py. Prints TAP.
// SHOTS is a folder that gets a picture of each view, in three widths and both languages; FILES is app/portal.
import {existsSync, readdirSync, readFileSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";

const require = createRequire(join(process.cwd(), "node_modules"));
const {chromium} = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const URL_ = process.env.PORTAL_URL, SHOTS = process.argv[2], FILES = process.argv[3];
const KEYS = Object.fromEntries(["metrics", "pdns", "log", "analyst", "admin", "few"].map((r) => [r, process.env[`PORTAL_${r.toUpperCase()}`]]));
const HTML = "<img src=x onerror=alert(1)>";
const LANGUAGES = {en: "en-GB", ja: "ja-JP"};

/* ---- judging ---- */

let n = 0, failed = 0;

function check(sentence, isGood, why = "") {
	n++;
	failed += !isGood;
	console.log(`${isGood ? "ok" : "not ok"} ${n} - ${sentence}`);
	if (!isGood && why !== "")
		console.log(`# ${String(why).slice(0, 2000).replaceAll("\n", "\n# ")}`);
}

function equal(sentence, got, wanted) {
	const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];

	check(sentence, a === b, `got ${a}, expected ${b}`);
}

/* ---- a browser ---- */

const browser = await chromium.launch({executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"]});
const complaints = [];
const asked = []; // addresses of all requests

async function open({language = "en", role = null, width = 1280, scheme = "light"} = {}) {
	const context = await browser.newContext({viewport: {width, height: 800}, locale: LANGUAGES[language], colorScheme: scheme,
		reducedMotion: "reduce", acceptDownloads: true, timezoneId: "Asia/Tokyo"});
	const page = await context.newPage();

	// A status that was provoked stands in the console, too.
	page.on("console", (m) => ["error", "warning"].includes(m.type()) && !/status of (401|403|429|400)/.test(m.text()) &&
		complaints.push(m.text()));
	page.on("pageerror", (error) => complaints.push(error.stack));
	page.on("dialog", (dialog) => {
		complaints.push(`a dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	page.on("request", (request) => asked.push(request.url()));
	if (role)
		await page.addInitScript((key) => sessionStorage.getItem("dnsweir.key") ?? sessionStorage.setItem("dnsweir.key", key), KEYS[role]);
	await page.goto(URL_);
	await page.waitForSelector("h1");
	return page;
}

async function go(page, hash) {
	await page.evaluate((to) => {
		location.hash = to;
	}, hash);
	await settled(page);
}

// Answers are there, and shown.
async function settled(page) {
	await page.waitForFunction(() => document.querySelector("main")?.dataset.at === location.hash && !document.querySelector("[aria-busy]") &&
		![...document.querySelectorAll("[role=status]")].some((e) => /Loading|読み込み中/.test(e.textContent)));
}

const texts = (page, selector) => page.locator(selector).allInnerTexts();
const count = (page, selector) => page.locator(selector).count();
const said = (page) => page.locator(".said").innerText();
const faults = (page) => texts(page, "[role=alert] p:first-child");

/* ---- what is served ---- */

async function served() {
	const page = await fetch(URL_);
	const policy = page.headers.get("content-security-policy");
	const tag = page.headers.get("etag");

	equal("the page comes without a key", [page.status, page.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
	check("its policy lets nothing in from outside, nor inline", policy.includes("default-src 'none'") && !policy.includes("unsafe") &&
		policy.includes("require-trusted-types-for 'script'") && policy.includes("frame-ancestors 'none'"), policy);
	equal("it comes packed, where that is taken", page.headers.get("content-encoding"), "gzip");
	equal("and plain, where it is not",
		(await fetch(URL_, {headers: {"Accept-Encoding": "gzip;q=0"}})).headers.get("content-encoding"), null);
	equal("who has it already gets no other", (await fetch(URL_, {headers: {"If-None-Match": tag}})).status, 304);
	for (const name of readdirSync(FILES).filter((name) => name !== "meson.build"))
		equal(`${name} is what was written`, await (await fetch(`${URL_}portal/${name}`)).text(), readFileSync(join(FILES, name), "utf8"));
	for (const path of ["portal/", "portal/absent.js", "portal/..%2fapi.js", "portal/../portal/app.jsx"])
		check(`${path} is no other file`, (await fetch(URL_ + path)).status === (path === "portal/" ? 200 : 404));
	equal("API answers are not kept", (await fetch(`${URL_}v1`, {headers: {"X-API-Key": KEYS.pdns}})).headers.get("cache-control"),
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
		pdns: ["Search", "Look-alikes", "New", "Fast flux", "Shared", "Filtering", "Live"],
		analyst: ["Search", "Look-alikes", "New", "Fast flux", "Shared", "Filtering", "Clients", "Live"],
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

/* ---- search ---- */

async function searching() {
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
	equal("nothing is told of", [await find("absent.shop.example"), await said(page)], [0, "Nothing was found."]);
	await find("10.77.0.0/33");
	await page.waitForSelector(".said");
	equal("what is no network is looked for as a name, and found nowhere", await count(page, "tbody tr"), 0);
	await find("a..b");
	equal("what is no name is refused in words", await faults(page), ["The collector does not understand what was asked."]);
	check("with what the collector says", (await page.innerText(".detail [lang=en]")).includes("empty label"), await page.innerText(".detail"));
	await page.context().close();
}

async function narrowing() {
	const page = await open({role: "pdns"});
	const day = (ago) => new Date(Date.now() - ago * 86400000).toISOString().slice(0, 10);
	const rows = async (query) => {
		await go(page, `#/search?q=${encodeURIComponent("*.shop.example")}${query}`);
		return count(page, "tbody tr");
	};

	equal("by type", await rows("&type=MX"), 1);
	equal("by the last time", await rows(`&after=${day(0)}`) >= 4, true);
	equal("by the first time", await rows(`&before=${day(250)}`), 4);
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

async function paging() {
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
	for (const [button, name] of [["Save as JSON", "passive-dns.json"], ["Save as CSV", "passive-dns.csv"]]) {
		const [download] = await Promise.all([page.waitForEvent("download"), page.click(`text=${button}`)]);
		const text = readFileSync(await download.path(), "utf8");

		equal(`${button}: its name`, download.suggestedFilename(), name);
		equal("its rows", button.includes("JSON") ? JSON.parse(text).length : text.trim().split("\r\n").length - 1, 14);
		if (button.includes("JSON"))
			check("each as the API has it", JSON.parse(text).every((row) => row.rrname && row.classes.length && row.time_first), text);
	}
	await page.context().close();
}

async function moving() {
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

	await other.goto(`${URL_}#/search?q=shop.example&type=MX`);
	await other.fill("input[name=key]", KEYS.pdns);
	await other.keyboard.press("Enter");
	await other.waitForSelector("tbody tr");
	equal("a link from elsewhere leads there, through the door", await count(other, "tbody tr"), 1);
	await page.context().close();
}

/* ---- names of other scripts ---- */

async function scripts() {
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

/* ---- for everybody ---- */

async function keyboard() {
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

			// Fields of dates show the focus inside.
			return e === document.body || e.type === "date" ? "" : `${e.tagName} ${e.textContent || e.name || e.id}${style.outlineStyle === "none" ? " UNSEEN" : ""}`;
		}));
	}
	check("everything can be reached by Tab, and is seen there", stops.size > 30 && ![...stops].some((s) => s.includes("UNSEEN")) &&
		[...stops].some((s) => s.startsWith("BUTTON Save as CSV")) && [...stops].some((s) => s.startsWith("BUTTON Count")),
		[...stops].join("\n"));
	await page.context().close();
}

async function languages() {
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

const VIEWS = {
	search: "#/search", name: "#/search?q=*.shop.example", similar: "#/similar?name=shop.example", new: "#/new?since=3600", flux: "#/flux",
	shared: "#/shared?name=shop.example", filter: "#/filter?name=c2.bad.example", hits: "#/clients?what=hits&id=EX-1",
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
async function picture(page, name) {
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
		if (language === "ja")
			await axe(page, `${name}, 320 px`);
		await page.setViewportSize({width: 1280, height: 800});
		if (language === "en") {
			await page.emulateMedia({colorScheme: "dark"});
			await axe(page, `${name}, dark`, ["color-contrast"]);
			if (["name", "live"].includes(name))
				await picture(page, `${name}-dark`);
			await page.emulateMedia({colorScheme: "light"});
		}
	}
	await page.context().close();
	const door = await open({language, width: 360});

	await picture(door, `door-${language}-360`);
	await axe(door, `door, ${language}`);
	await door.context().close();
}

async function views() {
	await Promise.all(Object.keys(LANGUAGES).map(viewsIn));
}

const PARTS = [served, words, door, roles, searching, narrowing, paging, moving, scripts, signals, filtering, keyboard, languages];
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
await Promise.all([inTurn(PARTS), run(views), run(living)]);
await run(leaving);
equal("nothing complains on the console", complaints, []);
check("no key stands in any address", Object.values(KEYS).every((key) => asked.every((address) => !address.includes(key))));
check("nothing is asked of anybody else", asked.every((address) => address.startsWith(URL_) || address.startsWith("blob:")),
	asked.find((address) => !address.startsWith(URL_)));
await browser.close();
console.log(`1..${n}`);
console.log(`${n - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
