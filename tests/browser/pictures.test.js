// The pictures of the README, taken of the real page: PICTURES=../../docs/pictures ./run

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chosen, launch, open, PATIENCE, signIn } from './browser.js';
import { server } from './server.js';

const BYTES_MAX = 150_000;
const NAMES = ['Adler', 'Brandt', 'Conrad', 'Dietrich', 'Engel', 'Fuchs', 'Graf', 'Huber', 'Jansen', 'Keller', 'Lorenz', 'Maurer', 'Neumann', 'Otto', 'Peters', 'Richter'];
const TRADES = ['Machinery', 'Printing', 'Logistics', 'Foods', 'Software'];

/** Companies under German headers, a few with mistakes that people make. */
function list(name, rows, tag) {
  const lines = Array.from({ length: rows }, (_, i) => {
    const [one, two, trade] = [NAMES[i % 16], NAMES[(i * 7 + 3) % 16], TRADES[i % 5]];
    const profile = i % 61 === 40 ? '' : `https://www.linkedin.com/company/${one}-${two}-${tag}${i}`.toLowerCase();
    const site = i % 43 === 20 ? `www,${one}-${two}.de`.toLowerCase() : i % 4 ? `${one}-${two}-${i}.de`.toLowerCase() : '';
    return `${i % 97 === 60 ? '' : `${one} & ${two} ${trade} GmbH`};${profile};${site};${i % 3 ? '11-50' : 120};${trade};0${1067 + i}`;
  });
  return { name, mimeType: 'text/csv', buffer: Buffer.from(`Company Name;LinkedIn_URL;Web-Site;Compny Size;Industry;Vermerk\n${lines.join('\n')}\n`) };
}

test('the pictures of the README are made of the real page', { timeout: 10 * PATIENCE }, async () => {
  const folder = process.env.PICTURES || mkdtempSync(join(tmpdir(), 'sheetline-pictures-'));
  const office = await server({ users: [['maria', true]] });
  const browser = await launch();
  try {
    const page = await open(browser, office.url, { width: 1080, height: 860, reducedMotion: 'reduce' });
    const picture = async (name, height) => {
      await page.setViewportSize({ width: 1080, height });
      const path = join(folder, `${name}.png`);
      await page.screenshot({ path });
      assert.ok(statSync(path).size < BYTES_MAX, `${name}.png has ${statSync(path).size} bytes`);
    };
    await signIn(page, 'maria');
    const top = page.locator('.uploads tbody tr').first();
    const process = async (file) => { await chosen(page, file); await page.getByRole('button', { name: 'Upload & Process Now' }).click(); await top.getByText(file.name).waitFor(); };

    await chosen(page, list('fair-leads.csv', 310, 'f'));
    await page.getByRole('button', { name: 'Upload as JSON' }).click();
    await top.getByText('not processed').waitFor();
    await process(list('partners-2026.csv', 20, 'p'));
    await top.getByRole('link', { name: /^Report/ }).waitFor();
    await process(list('customers-november.csv', 4812, 'c'));
    await top.getByRole('link', { name: /^Report/ }).waitFor();
    await chosen(page, list('customers-december.csv', 800, 'd'));
    await page.locator('.undecided').waitFor({ state: 'detached' });
    await picture('preview', 1230);

    await page.getByRole('button', { name: /^Remove/ }).click();
    // So many rows that the job is at work for seconds, however quick the machine is.
    await process(list('all-customers.csv', 200_000, 'a'));
    await top.getByText(/checking rows · [1-9]\d\s%.*rows\/s/).waitFor();
    await page.evaluate(() => document.activeElement.blur());
    await picture('uploads', 720);
    await page.getByRole('link', { name: 'Report customers-november.csv' }).click();
    await page.getByText('How full the columns are').first().waitFor();
    await page.evaluate(() => document.activeElement.blur());
    await picture('report', 960);
  } finally {
    await browser.close();
    await office.end();
    if (!process.env.PICTURES) rmSync(folder, { recursive: true, force: true });
  }
});
