// Prints axe-core's serious and critical findings on a page as JSON: node axe.mjs MODULES URL WIDTH SCHEME [PNG]
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [modules, url, width, scheme, png] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const quiet = ["disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", ...quiet.map((flag) => `--${flag}`)],
});
const context = await browser.newContext({
  viewport: { width: Number(width), height: 900 },
  colorScheme: scheme,
  bypassCSP: true,
});
const page = await context.newPage();
const requests = [];
page.on("request", (request) => requests.push(request.url()));
await page.goto(url);
await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
await page.evaluate(axe);
const { violations } = await page.evaluate(() => window.axe.run());
const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
const bad = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
if (png) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = false; }));
  await page.screenshot({ path: png, fullPage: true });
}
console.log(JSON.stringify({
  findings: bad.map(({ id, nodes }) => `${id}: ${nodes.length} x ${nodes[0].html.slice(0, 160)} ${nodes[0].any[0]?.message ?? ""}`),
  minor: violations.filter((one) => !bad.includes(one)).map(({ id, nodes }) => `${id}: ${nodes.length} x ${nodes[0].html.slice(0, 120)}`),
  requests: requests.filter((one) => !one.startsWith("file:") && !one.startsWith("data:")),
  wider,
}, null, 1));
await browser.close();
