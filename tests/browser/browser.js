// A real Chromium, and the words in which the tests speak of the page.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { chromium } from 'playwright-core';
import { unsteady } from './unsteady.js';
import { PASSWORD } from './server.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const CHROMIUM = process.env.CHROMIUM || ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** How long something may take that is waited for, in milliseconds: an old machine is slow, and busy with other things. */
export const PATIENCE = 120_000;

export const launch = () => chromium.launch({
  timeout: PATIENCE,
  executablePath: CHROMIUM,
  // Under a name that is not this computer's the page is no secure context: as in an office without TLS.
  args: ['--host-resolver-rules=MAP office.test 127.0.0.1', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/** A window of its own, with its own cookies. What the page complains about is collected in `page.complaints`. */
export async function open(browser, url, { width = 1280, height = 900, dark = false, ...more } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', locale: 'en-GB', timezoneId: 'Europe/Berlin', bypassCSP: false, ...more });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  await unsteady(page);
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('console', (message) => {
    // Chromium writes a line for each answer that is no success; those are the page's daily bread.
    if (['error', 'warning'].includes(message.type()) && !/Failed to load resource/.test(message.text())) page.complaints.push(message.text());
  });
  if (url) await page.goto(url);
  return page;
}

export async function signIn(page, name, password = PASSWORD) {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export const choose = (page, file) => page.locator('input[type=file]').setInputFiles(file);
/** Chooses a file and waits until it has been looked into; what is said of the one before does not count. */
export async function chosen(page, file) {
  await choose(page, file);
  await page.locator('.panel', { has: page.getByRole('heading', { name: file.name || basename(file) }) }).locator('.grid:not([aria-busy]) .known').waitFor();
}

/** Waits until whatever is shown is there. */
export const settled = (page) => page.waitForFunction(() => ![...document.querySelectorAll('.empty')].some((e) => e.checkVisibility() && e.textContent === 'Loading…'));

/** What axe-core has to say of the page as it stands: [] when it is content. `rules`: only these. */
export async function axe(page, rules) {
  if (!await page.evaluate(() => Boolean(window.axe))) await page.evaluate(`${AXE};0`);
  const { violations } = await page.evaluate((only) => window.axe.run(document, { resultTypes: ['violations'], ...(only && { runOnly: only }) }), rules);
  return violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} (${(n.any[0] || n.all[0] || n.none[0])?.message || ''})`).join('; ')}`);
}

/** How far the page can be scrolled sideways, in pixels. */
export const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
