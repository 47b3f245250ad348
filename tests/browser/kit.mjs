// Starts the real program and a real browser, and counts what passes.
import { spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const START_MAX_MS = 20_000;
const STEP_MAX_MS = 20_000;
const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let passed = 0, failed = 0;

/** Runs one step of a story; a failure is told and the story goes on. */
export async function step(name, work) {
  try {
    await work();
    passed += 1;
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n     ${String(error.stack ?? error).replaceAll("\n", "\n     ")}`);
  }
}

export function summary() {
  console.log(`\nbrowser: ${passed} passed, ${failed} failed`);
  return failed === 0;
}

export function expect(found, wanted, what) {
  if (found !== wanted) throw new Error(`${what}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`);
}

function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

const LOOKS = ['title "Rowan Street"', 'description "A quiet server for people who look out of the window."'];
const NODES = Number(process.env.WAXWING_TEST_NODES ?? 1);

/** A server with a fresh data folder; `lines` are added to its configuration. */
export function startServer(binary, lines = []) {
  return NODES > 1 ? startNodes(binary, [...LOOKS, ...lines]) : startAlone(binary, [...LOOKS, ...lines]);
}

/** Several nodes on one database, by what the system tests have for that. */
async function startNodes(binary, lines) {
  const tests = new URL("..", import.meta.url).pathname;
  const command = [path.join(tests, "system/nodes.py"), ...lines];
  const child = spawn(path.join(tests, ".cache/venv/bin/python"), command, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, WAXWING_BINARY: path.resolve(binary) },
  });
  let output = "", said = "";
  child.stderr.on("data", (bytes) => { said += bytes; });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const told = new Promise((resolve) => child.stdout.on("data", (bytes) => {
    output += bytes;
    if (output.includes("\n")) resolve();
  }));
  await Promise.race([told, ended]);
  if (!output.includes("\n")) throw new Error(`the nodes did not start:\n${said}`);
  return {
    ...JSON.parse(output),
    output: () => said,
    async stop() {
      child.stdin.end();
      expect(await ended, 0, `how the nodes ended: ${said}`);
    },
  };
}

async function startAlone(binary, lines) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "waxwing-browser-"));
  const port = await freePort();
  const origin = `https://localhost:${port}`;
  const config = path.join(folder, "waxwing.conf");
  fs.writeFileSync(config, [
    origin, `data ${folder}/data`, `listen 127.0.0.1:${port}`, "admin off", "tls internal", ...lines, "",
  ].join("\n"));
  const child = spawn(binary, [config], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => { output += bytes; });
  const deadline = Date.now() + START_MAX_MS;
  while (!/\/setup\/\S+/.test(output)) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error(`the server did not start:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return {
    origin,
    ownerLink: output.match(/https:\/\/\S+\/setup\/[\w-]+/)[0],
    output: () => output,
    async stop() {
      child.kill("SIGINT");
      await ended;
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function findChromium() {
  const names = ["chromium", "chromium-browser", "google-chrome"];
  for (const folder of (process.env.PATH ?? "").split(":")) {
    for (const name of names) {
      const file = path.join(folder, name);
      if (fs.existsSync(file)) return file;
    }
  }
  throw new Error("Chromium is not installed");
}

export function startBrowser() {
  return chromium.launch({
    executablePath: findChromium(),
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  });
}

/** Somebody with a browser of their own. Errors on their pages are kept in `troubles`. */
export async function person(browser, server, name, { js = true, width = 1280, dark = false } = {}) {
  const context = await browser.newContext({
    baseURL: server.origin,
    ignoreHTTPSErrors: true,
    javaScriptEnabled: js,
    viewport: { width, height: 860 },
    timezoneId: "Africa/Johannesburg",
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(STEP_MAX_MS);
  const troubles = [];
  const open = async () => {
    const page = await context.newPage();
    page.on("pageerror", (error) => troubles.push(`${page.url()}: ${error}`));
    page.on("console", (message) => {
      // A form with faults answers 422, which the browser reports as well.
      if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) troubles.push(`${page.url()}: ${message.text()}`);
    });
    return page;
  };
  return { name, js, context, page: await open(), open, troubles };
}

/** Serious and critical faults that axe finds on an open page. */
export async function accessibilityFaults(page) {
  // Through the debugger, which the page's content policy does not bind.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter((fault) => ["serious", "critical"].includes(fault.impact))
    .map((fault) => `${fault.id}: ${fault.nodes.slice(0, 2).map((node) => node.html.slice(0, 120)).join(" | ")}`);
}

/** Whether the page is wider than the window. */
export function isTooWide(page) {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}
