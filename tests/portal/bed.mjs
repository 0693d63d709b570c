// SPDX-License-Identifier: BSD-3-Clause
// What tests of the portal share: judging, and a browser.
import {createRequire} from "node:module";
import {join} from "node:path";

// Packages are where the test is started.
export const require = createRequire(join(process.cwd(), "node_modules"));
const {chromium} = require("playwright-core");

export const ADDRESS = process.env.PORTAL_URL, SHOTS = process.argv[2], FILES = process.argv[3];
export const KEYS = Object.fromEntries(["metrics", "pdns", "log", "analyst", "admin", "few"]
	.map((role) => [role, process.env[`PORTAL_${role.toUpperCase()}`]]));
export const LANGUAGES = {en: "en-GB", ja: "ja-JP"};

/* ---- judging ---- */

export const score = {n: 0, failed: 0};

export function check(sentence, isGood, why = "") {
	score.n++;
	score.failed += !isGood;
	console.log(`${isGood ? "ok" : "not ok"} ${score.n} - ${sentence}`);
	if (!isGood && why !== "")
		console.log(`# ${String(why).slice(0, 2000).replaceAll("\n", "\n# ")}`);
}

export function equal(sentence, got, wanted) {
	const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];

	check(sentence, a === b, `got ${a}, expected ${b}`);
}

/* ---- a browser ---- */

export const browser = await chromium.launch({executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"]});
export const complaints = [];
export const asked = []; // addresses of all requests

export async function open({language = "en", role = null, width = 1280, scheme = "light"} = {}) {
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
	await page.goto(ADDRESS);
	await page.waitForSelector("h1");
	return page;
}

export async function go(page, hash) {
	await page.evaluate((to) => {
		location.hash = to;
	}, hash);
	await settled(page);
}

// Answers are there, and shown.
export async function settled(page) {
	await page.waitForFunction(() => document.querySelector("main")?.dataset.at === location.hash && !document.querySelector("[aria-busy]") &&
		![...document.querySelectorAll("[role=status]")].some((e) => /Loading|読み込み中/.test(e.textContent)));
}

export const texts = (page, selector) => page.locator(selector).allInnerTexts();
export const count = (page, selector) => page.locator(selector).count();
export const said = (page) => page.locator(".said").innerText();
export const faults = (page) => texts(page, "[role=alert] p:first-child");
