// Prints as JSON what axe-core finds on a page, wide and narrow, light and dark: node axe.mjs MODULES URL [FOLDER FOR PICTURES]
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [modules, url, pictures] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const quiet = ["gpu", "quic", "background-networking", "component-update", "sync"].map((part) => `--disable-${part}`);
const brief = ({ id, nodes }) => `${id}: ${nodes.length} x ${nodes[0].html.slice(0, 160)} ${nodes[0].any[0]?.message ?? ""}`;
const fold = (open) => document.querySelectorAll("details").forEach((one) => { one.open = open; });

async function look(browser, width, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true });
  const page = await context.newPage();
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(url);
  if (pictures) await page.screenshot({ path: `${pictures}/${colorScheme}${width}.png`, fullPage: true });
  await page.evaluate(fold, true);
  await page.evaluate(axe);
  const { passes, violations } = await page.evaluate(() => window.axe.run());
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  await context.close();
  return {
    width, colorScheme, wider,
    passes: passes.length,
    findings: violations.filter(({ impact }) => ["serious", "critical"].includes(impact)).map(brief),
    minor: violations.filter(({ impact }) => !["serious", "critical"].includes(impact)).map(brief),
    requests: requests.filter((one) => !one.startsWith("file:") && !one.startsWith("data:")),
  };
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", ...quiet] });
const looks = [];
for (const width of [320, 1440]) for (const scheme of ["light", "dark"]) looks.push(await look(browser, width, scheme));
await browser.close();
console.log(JSON.stringify(looks, null, 1));
