// The whole way of a file through the page, against the real server.

import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { axe, choose, chosen, launch, open, PATIENCE, settled, sideways, signIn } from './browser.js';
import { PASSWORD, server } from './server.js';

const SAMPLE = new URL('../../samples/companies.xlsx', import.meta.url).pathname;
let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** A test with a server and windows of its own; whatever the page complains about fails it. */
function story(name, options, tell) {
  test(name, { timeout: 10 * PATIENCE }, async () => {
    const office = await server(options);
    office.url = office.url.replace('127.0.0.1', 'office.test'); // as in an office: by name, without TLS
    const pages = [];
    const window = async (who, more) => {
      const page = await open(browser, office.url, more);
      pages.push(page);
      if (who) { await signIn(page, who); await page.getByRole('heading', { name: 'Your uploads' }).waitFor(); }
      return page;
    };
    try {
      await tell({ office, window, api });
      for (const page of pages) assert.deepEqual(page.complaints, []);
    } finally {
      for (const page of pages) await page.context().close();
      await office.end();
    }
  });
}
/** A request with the page's session, but past the page, whatever that is busy with: {status, body}. */
async function api(page, method, path, data) {
  const { port } = new URL(page.url());
  const cookies = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`);
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, agent: false, headers: { 'Content-Type': 'application/json', Cookie: cookies.join('; ') } }, async (answer) => {
      try {
        const parts = await answer.toArray();
        resolve({ status: answer.statusCode, body: JSON.parse(Buffer.concat(parts)) });
      } catch (error) { reject(error); }
    });
    asked.on('error', reject);
    asked.end(data && JSON.stringify(data));
  });
}
/** Waits until this is so, seen from here. */
async function until(so) {
  for (const end = Date.now() + PATIENCE; !await so();) {
    assert.ok(Date.now() < end, `waited in vain for ${so}`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}
const both = { users: [['maria', true], ['anna', false]] };

const csv = (name, rows) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(`Company Name,LinkedIn_URL\n${Array.from({ length: rows }, (_, i) => `Company ${name} ${i},https://www.linkedin.com/company/${name.replace(/\W/g, '')}-${i}\n`).join('')}`) });
const process = (page) => page.getByRole('button', { name: 'Upload & Process Now' }).click();
/** The row of the newest upload. */
const work = (page) => page.locator('.uploads tbody tr').first();
const report = (page) => work(page).getByRole('link', { name: /^Report/ });
const done = (page) => report(page).waitFor();
const focused = (page) => page.evaluate(() => document.activeElement?.textContent?.trim() || document.activeElement?.tagName);
const content = async (page, link) => {
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
};
/** Goes to a place of the page, which stands there then. */
const visit = (page, place) => page.evaluate((to) => new Promise((there) => {
  if (location.hash === to) { there(); return; }
  addEventListener('hashchange', () => there(), { once: true }); // heard after the page has
  location.hash = to;
}), `#/${place}`);
/** Holds the queue, so that jobs stay where they are until the test lets go. */
const hold = async (page, api) => assert.equal((await api(page, 'POST', '/api/admin/queue/pause', { reason: 'Stocktaking' })).status, 200);
const release = async (page, api) => assert.equal((await api(page, 'POST', '/api/admin/queue/resume', {})).status, 200);

story('a new office sets itself up, drops a file and takes its clean list away', {}, async ({ office, window }) => {
  const page = await window();
  await page.goto(`${office.url}/#setup=${office.code}`);
  await page.waitForFunction((code) => document.querySelector('input')?.value === code, office.code); // it loads again for it
  await page.getByLabel('Name', { exact: true }).fill('maria');
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByLabel('Password again').fill(PASSWORD);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('heading', { name: 'Your office can start' }).waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the setup code stays in no history');

  // A drop anywhere in the window counts.
  const bytes = [...readFileSync(SAMPLE)];
  const drop = await page.evaluateHandle((all) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(all)], 'companies.xlsx'));
    return transfer;
  }, bytes);
  await page.dispatchEvent('footer', 'drop', { dataTransfer: drop });
  await page.locator('.known', { hasText: /\d columns? recognised/ }).waitFor();
  assert.match(await focused(page), new RegExp(`^companies\\.xlsx ${Math.round(bytes.length / 1024)} KB · \\d+ rows$`));
  await process(page);
  await done(page);
  assert.match(await work(page).textContent(), /stored/);
  assert.equal(await focused(page), 'companies.xlsx', 'the new row has the focus');
  await report(page).click();
  await page.getByText(/rows in the file/).first().waitFor();
  await page.getByText('How full the columns are').first().waitFor();
  await page.getByRole('button', { name: 'More', exact: true }).click();
  const list = await content(page, page.getByRole('link', { name: 'Clean list (.csv)' }));
  assert.match(list.name, /\.csv$/);
  const stored = Number(/([\d,]+) stored new/.exec(await page.locator('.sum').textContent())[1]);
  assert.equal(list.bytes.toString().trim().split('\r\n').length, stored + 1);
  // A reload comes back to the same report.
  await page.reload();
  await page.getByText(/rows in the file/).first().waitFor();
  await page.getByRole('navigation').getByRole('link', { name: 'Records' }).click();
  // By its name: the report's own tables stand until the list is here.
  await page.getByRole('table', { name: 'Records' }).waitFor();
});

story('whoever comes second waits, sees how many are ahead, and may change their mind', both, async ({ window, api }) => {
  const maria = await window('maria');
  const anna = await window('anna');
  await hold(maria, api);
  await choose(maria, SAMPLE);
  await process(maria);
  await work(maria).getByText(/Next · paused by maria/).waitFor();
  await choose(anna, csv('anna.csv', 3));
  await process(anna);
  await work(anna).getByText(/1 ahead · paused by maria: Stocktaking/).first().waitFor();
  // Who comes behind puts nobody back.
  assert.match(await work(maria).textContent(), /Next · paused by maria/);
  await maria.reload();
  await work(maria).getByText(/Next · paused by maria/).first().waitFor();
  assert.match(await anna.title(), /^Waiting · anna\.csv/);
  await anna.reload();
  await work(anna).getByText(/1 ahead/).first().waitFor();

  // A second file of the same person is refused with the job in the way, and stays chosen.
  await choose(anna, csv('more.csv', 3));
  await process(anna);
  await anna.getByText(/You already have a file in work: anna\.csv, 1 ahead/).first().waitFor();
  await anna.getByRole('button', { name: 'Show it' }).click();
  assert.equal(await focused(anna), 'anna.csv');
  assert.equal(await anna.getByRole('button', { name: 'Remove more.csv' }).count(), 1);

  await work(anna).getByRole('button', { name: 'Cancel anna.csv' }).click();
  await work(anna).getByText(/Cancelled by anna at \d\d:\d\d\. Nothing was stored\./).first().waitFor();
  await release(maria, api);
  await done(maria);
  await process(anna);
  await done(anna);
});

story('a session that ends in mid-flow is renewed over the page, and the file stays chosen', both, async ({ window, api }) => {
  const page = await window('anna');
  await chosen(page, csv('anna.csv', 5));
  const { body: { sessions } } = await api(page, 'GET', '/api/auth/sessions');
  const other = await window('anna');
  // Ended once the button is pressed: before, the page might hear of it by itself and cover the button.
  let ended = null;
  await page.route('**/api/auth/session', async (route) => {
    ended = await api(other, 'DELETE', `/api/auth/sessions/${sessions[0].id}`);
    await route.continue();
  }, { times: 1 });
  await process(page);
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/You were signed out\. Sign in to go on\. anna\.csv is still chosen\./).first().waitFor();
  assert.equal(ended?.status, 200);
  assert.deepEqual(await axe(page), []);
  assert.match(await dialog.evaluate((one) => document.getElementById(one.getAttribute('aria-describedby'))?.textContent), /^You were signed out/, 'read with the dialog');
  await dialog.getByLabel('Password').fill('wrong wrong wrong');
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByText('Name or password is wrong.').first().waitFor();
  await dialog.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await done(page);
  assert.match(await work(page).textContent(), /5 stored/);
});

story('a restart of the server is told and got over, and the work goes on', both, async ({ office, window, api }) => {
  const page = await window('maria');
  await hold(page, api);
  await choose(page, SAMPLE);
  await process(page);
  await work(page).getByText('Waiting').first().waitFor();
  await office.stop();
  await page.getByRole('region', { name: 'Connection' }).getByText(/No answer from the server/).first().waitFor();
  await office.start();
  await page.getByRole('button', { name: 'Try now' }).click({ timeout: 2000 }).catch(() => {}); // it may have found it by itself
  await page.getByRole('region', { name: 'Connection' }).waitFor({ state: 'hidden' });
  await work(page).getByText(/paused by maria/).first().waitFor();
  await release(page, api);
  await done(page);
});

story('the keyboard alone does everything', both, async ({ window }) => {
  const page = await window('anna');
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  /** Tabs on until the focus is on something with this name. */
  const to = async (name) => {
    for (let i = 0; i < 60; i += 1) {
      if (await page.evaluate((wanted) => { const at = document.activeElement; return at.matches('a,button,input,select,summary') && (at.getAttribute('aria-label') || at.textContent).includes(wanted); }, name)) return;
      await press('Tab');
    }
    assert.fail(`the keyboard does not come to “${name}”`);
  };
  const chooser = page.waitForEvent('filechooser'); // listened for long before, so that the listening itself is no race
  await page.keyboard.press('Tab');
  await to('Choose file');
  await press('Enter');
  await (await chooser).setFiles(csv('keys.csv', 4));
  await page.locator('.panel .known').waitFor();
  await to('Upload & Process Now');
  await press('Enter');
  await done(page);
  await to('Report');
  await press('Enter');
  await page.getByText('4 rows in the file').first().waitFor();
  assert.equal(await focused(page), 'keys.csv');
  await to('More');
  await press('Enter', 'ArrowDown');
  await page.locator('.menu-list:popover-open').waitFor();
  await press('Escape');
  assert.match(await focused(page), /^More/);
  await to('Undo this import');
  await press('Enter');
  await page.getByRole('dialog').waitFor();
  assert.equal(await focused(page), 'Leave it', 'the harmless answer is the first');
  await press('Tab', 'Enter');
  await page.getByText(/Taken back by anna/).first().waitFor();
});

story('rows to fix are taken away, come home and are known again', both, async ({ window }) => {
  const page = await window('anna');
  await chosen(page, SAMPLE);
  await process(page);
  await report(page).click();
  await page.locator('.sum').getByText(/\d+ to fix/).first().waitFor();
  const rules = page.getByRole('group', { name: 'What needs fixing' }).getByRole('button');
  const rows = page.getByRole('table', { name: 'Rows to fix' }).locator('tbody tr');
  const before = await rows.count();
  await rules.first().click();
  assert.ok(await rows.count() < before || await rules.count() === 1, 'a rule filters');
  const left = await rows.count();
  await page.reload();
  await rows.first().waitFor();
  assert.equal(await rules.first().getAttribute('aria-pressed'), 'true', 'a reload keeps the filter');
  assert.equal(await rows.count(), left);
  // How many there are of the rule, and a way back to all.
  const ofRule = /\d+$/.exec(await rules.first().textContent())[0];
  const heading = page.getByRole('heading', { name: /^Rows to fix/ });
  assert.match(await heading.textContent(), new RegExp(`${left} of ${ofRule} problems? · only: `));
  await page.getByRole('button', { name: 'Show every rule' }).click();
  await page.waitForFunction((n) => [...document.querySelectorAll('table')].find((one) => one.caption.textContent === 'Rows to fix').tBodies[0].rows.length === n, before);
  assert.match(await focused(page), /^Rows to fix/, 'the focus goes to the list');
  const changed = page.locator('summary', { hasText: /were changed on the way in/ });
  const said = Number(/^[\d,]+/.exec(await changed.textContent())[0]);
  await changed.click();
  await page.getByRole('table', { name: 'Changed values' }).waitFor();
  assert.equal(await page.getByRole('table', { name: 'Changed values' }).locator('tbody tr').count(), said, 'as many as it says');
  const fix = await content(page, page.getByRole('link', { name: 'Rows to fix (.xlsx)' }));
  assert.match(fix.name, /\.xlsx$/);
  await visit(page, '');
  await choose(page, { name: fix.name, mimeType: '', buffer: fix.bytes });
  await page.getByText(/These are the \d+ rows? to fix of companies\.xlsx\./).first().waitFor();
  await page.locator('summary', { hasText: /^All \d+ columns recognised$/ }).waitFor();
  await process(page);
  await work(page).getByText('to-fix').first().waitFor();
  await report(page).click();
  await page.getByText(/These were the rows to fix of/).first().waitFor();
});

story('a column is given its field by hand, and the office remembers it', both, async ({ window }) => {
  const file = (name) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(`Wer denn nun;LinkedIn_URL\n${name};https://www.linkedin.com/company/${name}\n`) });
  const page = await window('anna');
  await choose(page, file('one.csv'));
  await page.getByText('Column of “Company Name”').first().waitFor();
  await page.getByLabel('Field for Wer denn nun').focus();
  await page.getByLabel('Field for Wer denn nun').selectOption('Company Name');
  await page.getByRole('cell', { name: 'chosen' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Field for Wer denn nun', 'the focus stays');
  await process(page);
  await done(page);
  await choose(page, file('two.csv'));
  await page.locator('.known', { hasText: '2 of 2 columns recognised' }).waitFor();
  await page.getByRole('cell', { name: 'remembered' }).first().waitFor();
  await page.getByText('Reading details').click();
  await page.getByLabel('Separator').selectOption('Comma ,');
  await page.getByText('Only one column was found').first().waitFor();

  // What is remembered can be forgotten.
  await page.getByRole('button', { name: 'anna' }).click();
  await page.getByRole('link', { name: 'Profile' }).click();
  const remembered = page.getByRole('table', { name: 'Remembered columns' });
  await remembered.getByText('Wer denn nun → Company Name').waitFor();
  await page.getByRole('button', { name: /^Forget Wer denn nun/ }).click();
  await page.getByRole('button', { name: 'Forget them' }).click();
  await page.getByText('Nothing is remembered yet.').waitFor();
});

story('search and state look through all uploads, not only through those that are shown', both, async ({ window }) => {
  const page = await window('anna');
  await page.evaluate(async () => {
    for (let i = 0; i < 60; i += 1) {
      const form = new FormData();
      form.append('file', new File([`Company Name,LinkedIn_URL\nACME ${i},https://www.linkedin.com/company/${i}\n`], i ? `file ${i}.csv` : 'ÄLTESTE.csv'));
      await fetch('/api/files/upload-json', { method: 'POST', body: form });
    }
  });
  await page.reload();
  const rows = page.locator('.uploads tbody tr');
  await page.getByRole('button', { name: 'Show older' }).waitFor();
  assert.equal(await rows.count(), 50);
  await page.getByLabel('Search by file name').fill('älteste');
  await page.waitForFunction(() => document.querySelectorAll('.uploads tbody tr').length === 1);
  assert.match(await work(page).textContent(), /ÄLTESTE\.csv/);
  await page.getByRole('button', { name: 'Process ÄLTESTE.csv' }).click();
  await done(page);
  await page.getByLabel('Search by file name').fill('');
  await page.getByRole('button', { name: 'Show older' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.uploads tbody tr').length === 60);
  await page.getByLabel('State').selectOption('Done');
  await page.waitForFunction(() => document.querySelectorAll('.uploads tbody tr').length === 1);
  // What is looked for stands in the address.
  await page.reload();
  await page.waitForFunction(() => document.querySelectorAll('.uploads tbody tr').length === 1);
  assert.equal(await page.getByLabel('State').inputValue(), 'completed');
  assert.match(await work(page).textContent(), /ÄLTESTE\.csv/);
  // One press shows all again.
  await page.getByLabel('Search by file name').fill('zzz');
  await page.getByText('No upload fits this search.').waitFor();
  await page.getByRole('button', { name: 'Show all uploads' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.uploads tbody tr').length === 50);
  assert.deepEqual([await page.getByLabel('Search by file name').inputValue(), await page.getByLabel('State').inputValue()], ['', '']);
  assert.equal(await lost(page), false);
  await page.getByLabel('State').selectOption('Done');
  await page.waitForFunction(() => document.querySelectorAll('.uploads tbody tr').length === 1);
  // A new file is seen, whatever was looked for.
  await choose(page, csv('new.csv', 2));
  await page.getByRole('button', { name: 'Upload as JSON' }).click();
  await work(page).getByText('new.csv').waitFor();
});

story('an administrator adds a template, and everybody may choose it', both, async ({ office, window }) => {
  const page = await window('maria');
  await page.getByRole('link', { name: 'Server' }).click();
  const schema = { title: 'Suppliers', fields: [{ name: 'supplier', title: 'Supplier', type: 'string', constraints: { required: true } }] };
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Upload a template' }).click()]);
  await chooser.setFiles({ name: 'broken.json', mimeType: 'application/json', buffer: Buffer.from('{') });
  await page.getByText('That file holds no JSON.').first().waitFor();
  await page.getByLabel('Template', { exact: true }).setInputFiles({ name: 'odd.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify({ fields: [{ name: 'a', type: 'nonsense' }] })) });
  await page.getByText(/This template can’t be used \(field 1, type\): /).first().waitFor();
  await page.getByLabel('Template', { exact: true }).setInputFiles({ name: 'suppliers.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(schema)) });
  await page.getByRole('cell', { name: 'Suppliers', exact: true }).waitFor();
  const json = await content(page, page.getByRole('link', { name: 'JSON of Suppliers' }));
  assert.equal(json.name, 'suppliers.json');
  assert.deepEqual(JSON.parse(json.bytes), schema);

  const anna = await window('anna');
  await anna.getByRole('button', { name: 'Get a template' }).click();
  const sample = await content(anna, anna.getByRole('link', { name: 'Suppliers' }));
  assert.equal(sample.name, 'suppliers.xlsx');
  const list = { name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from('Supplier,Town\nACME,Bonn\n') };
  await choose(anna, list);
  await anna.getByLabel('Check the rows against').selectOption('Suppliers');
  await anna.locator('.known', { hasText: '1 of 2 columns recognised' }).waitFor();
  await process(anna);
  await done(anna);
  await report(anna).click();
  await anna.getByText('checked as suppliers').first().waitFor();

  await page.getByRole('button', { name: 'Delete Suppliers' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete Suppliers' }).click();
  await page.getByRole('cell', { name: 'Suppliers', exact: true }).waitFor({ state: 'detached' });
});

story('what is stored as JSON can be looked at, processed and deleted', both, async ({ window }) => {
  const page = await window('anna');
  await choose(page, csv('leads.csv', 3));
  await page.getByRole('button', { name: 'Upload as JSON' }).click();
  await work(page).getByText('not processed').first().waitFor();
  assert.equal(await focused(page), 'leads.csv');
  await page.keyboard.press('Enter');
  await page.getByRole('cell', { name: 'Company leads.csv 2' }).waitFor();
  const json = await content(page, page.getByRole('link', { name: 'JSON', exact: true }));
  assert.equal(JSON.parse(json.bytes).data.length, 3);
  await page.getByRole('link', { name: 'Uploads' }).first().click();
  await page.getByRole('button', { name: 'Process leads.csv' }).click();
  await done(page);
  // The same bytes once more are noticed before they are sent.
  await choose(page, csv('leads.csv', 3));
  await page.getByText(/You added this same file before: (just now|\d+ min ago), 3 stored\./).first().waitFor();
  assert.equal(await page.getByRole('link', { name: 'Show that report' }).getAttribute('href'), '#/job/1');
  assert.equal(await page.getByRole('button', { name: 'Process again', exact: true }).count(), 1);
  await page.getByRole('button', { name: 'Upload as JSON' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.uploads tbody tr').length === 2);
  assert.equal(await work(page).getByText('not processed').count(), 1);
  await page.getByRole('button', { name: 'More for leads.csv' }).first().click();
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Delete leads.csv' }).click();
  await done(page);
  await page.getByRole('button', { name: 'More for leads.csv' }).click();
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Delete leads.csv' }).click();
  await page.getByText('No uploads yet.').first().waitFor();
});

story('leaving warns while a file is sent and not while it is worked on, and sending can be cancelled', both, async ({ window, api }) => {
  const page = await window('anna');
  assert.equal(await page.evaluate(() => isSecureContext), false);
  const asked = [];
  page.on('dialog', (dialog) => { asked.push(dialog.type()); dialog.dismiss(); });
  await page.route('**/upload-and-process', () => {}); // the answer stays out
  await chosen(page, csv('slow.csv', 3));
  await process(page);
  await page.getByRole('progressbar', { name: 'Sending slow.csv' }).waitFor();
  await page.evaluate(() => { setTimeout(() => location.reload(), 0); });
  await page.waitForFunction(() => document.title.includes('slow.csv'));
  while (!asked.length) await page.evaluate(() => new Promise(requestAnimationFrame));
  assert.deepEqual(asked, ['beforeunload']);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Upload & Process Now' }).waitFor();
  assert.match(await focused(page), /^slow\.csv/, 'the file is still chosen');
  await page.unroute('**/upload-and-process');
  const admin = await window('maria');
  await hold(admin, api);
  await listen(page);
  await process(page);
  await work(page).getByText(/Next/).first().waitFor();
  await page.waitForFunction(() => window.said.some((words) => /Waiting · Next/.test(words)));
  await page.reload();
  await work(page).getByText(/Next/).first().waitFor();
  assert.deepEqual(asked, ['beforeunload'], 'no question while it waits');
});

story('files that can be of no use are refused before they are sent', both, async ({ window }) => {
  const page = await window('anna');
  const refused = async (file, words) => { await choose(page, file); await page.getByText(words).first().waitFor(); };
  await refused({ name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.alloc(0) }, 'The file is empty.');
  const two = await page.evaluateHandle(() => { const t = new DataTransfer(); t.items.add(new File(['a'], 'a.csv')); t.items.add(new File(['b'], 'b.csv')); return t; });
  await page.dispatchEvent('main', 'drop', { dataTransfer: two });
  await page.getByText('Add one file at a time. You dropped 2.').first().waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.className), 'note bad', 'the focus is on the message');
  await refused({ name: 'a.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 '.repeat(200)) }, /a PDF/);
});

story('a new colleague chooses a password of their own before anything else', both, async ({ window }) => {
  const admin = await window('maria');
  await admin.getByRole('link', { name: 'Users' }).click();
  await admin.getByRole('button', { name: 'Add a user' }).click();
  await admin.getByLabel('Name', { exact: true }).fill('otto');
  await admin.getByLabel('First password').fill('a first password');
  await admin.getByRole('button', { name: 'Add the user' }).click();
  await admin.getByRole('cell', { name: 'otto', exact: true }).waitFor();
  const page = await window();
  await signIn(page, 'otto', 'a first password');
  await page.getByRole('heading', { name: 'Choose your own password' }).waitFor();
  await page.getByLabel('Current password').fill('a first password');
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD);
  await page.getByLabel('New password again').fill(PASSWORD);
  await page.getByRole('button', { name: 'Use this password' }).click();
  await page.getByRole('heading', { name: 'Your uploads' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Users' }).count(), 0, 'what is for administrators is not shown to others');
});

story('nothing moves or scrolls sideways at 360 pixels, nor at twice the size', both, async ({ window }) => {
  const page = await window('maria', { width: 360, height: 740 });
  const resize = async (width, height) => { await page.setViewportSize({ width, height }); await page.waitForFunction((w) => innerWidth === w, width); };
  await chosen(page, SAMPLE);
  await process(page);
  await done(page);
  for (const place of ['', 'records', 'queue', 'users', 'server', 'audit', 'profile', 'job/1']) {
    await visit(page, place);
    await settled(page);
    assert.equal(await sideways(page), 0, `#/${place} at 360 px`);
    await resize(640, 450); // 1280 × 900 at 200 %
    assert.equal(await sideways(page), 0, `#/${place} at 200 %`);
    await resize(360, 740);
    assert.deepEqual(await axe(page), [], `#/${place}`);
  }
});

const lost = (page) => page.evaluate(() => document.activeElement === document.body);
/** In the page: has `window.said` hold the last words that a live region was given, one after another, from now on. */
function hear() {
  window.said = [];
  window.ears ||= new MutationObserver((changes) => {
    const regions = changes.map(({ target }) => (target.closest ? target : target.parentElement)?.closest('#polite,#assertive'));
    for (const region of new Set(regions)) if (region?.textContent) window.said.push(region.textContent);
  });
  window.ears.observe(document, { childList: true, characterData: true, subtree: true });
}
const listen = (page) => page.evaluate(hear);
const days = { title: 'Days', fields: [{ name: 'name', title: 'Name', type: 'string', constraints: { required: true } }, { name: 'since', title: 'Since', type: 'date', format: 'any' }] };
const dated = (name, ...dates) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(`Name,Since\n${dates.map((date, i) => `${name} ${i},${date}\n`).join('')}`) });

story('whoever comes first finds the setup without its link', {}, async ({ office, window }) => {
  const page = await window();
  await page.getByRole('heading', { name: 'Set up Sheetline' }).waitFor();
  await page.getByLabel('Setup code').fill('AAAA-BBBB-CCCC');
  await page.getByLabel('Name', { exact: true }).fill('maria');
  await page.getByLabel('Password', { exact: true }).fill('short');
  await page.getByLabel('Password again').fill('short');
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.locator('.note.bad').waitFor();
  await page.getByLabel('Setup code').fill(office.code);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByLabel('Password again').fill(PASSWORD);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('heading', { name: 'Your office can start' }).waitFor();
  assert.equal(await page.evaluate(() => document.getElementById('assertive').textContent), '', 'what went wrong before is not said any more');
  await page.evaluate(() => fetch('/api/auth/logout', { method: 'POST' }));
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in to Sheetline' }).waitFor();
});

story('the focus is never lost when what had it goes away', both, async ({ window, api }) => {
  const page = await window('maria');
  await chosen(page, csv('rows.csv', 9));
  // A wrong header row keeps its value, with the message at it; the file can't be sent as it is.
  const header = page.getByLabel('Headers are in row');
  await header.fill('9999');
  await page.keyboard.press('Tab');
  await page.locator('.note.bad').waitFor();
  assert.equal(await header.inputValue(), '9999');
  await header.fill('0');
  await page.keyboard.press('Tab');
  await page.locator('.note.bad').getByText('The row of the headers must be a whole number from 1 on.').waitFor();
  assert.equal(await header.getAttribute('aria-invalid'), 'true');
  assert.equal(await header.getAttribute('aria-invalid'), 'true');
  assert.equal(await page.locator(`#${await header.getAttribute('aria-describedby')}`).count(), 1);
  assert.equal(await page.getByRole('button', { name: 'Upload & Process Now' }).count(), 0);
  assert.equal(await lost(page), false, 'after a wrong header row');
  await header.fill('1');
  await page.keyboard.press('Tab');
  await page.locator('.grid:not([aria-busy]) .known', { hasText: 'All 2 columns recognised' }).waitFor();
  assert.equal(await lost(page), false, 'after the right one');

  await hold(page, api);
  await process(page);
  await work(page).getByText(/Next/).first().waitFor();
  await listen(page);
  await work(page).getByRole('button', { name: 'Cancel rows.csv' }).focus();
  await page.keyboard.press('Enter');
  await work(page).getByText(/Cancelled by maria at/).first().waitFor();
  await page.getByRole('button', { name: 'Cancel rows.csv' }).waitFor({ state: 'detached' });
  assert.equal(await focused(page), 'rows.csv', 'the row keeps it');
  await page.waitForFunction(() => window.said.some((words) => /Cancelled/.test(words)));
  assert.equal(await page.evaluate(() => window.said.filter((words) => /Cancelled/.test(words)).length), 1, 'said once');

  await work(page).getByRole('button', { name: 'Process rows.csv' }).click();
  await work(page).getByText(/Next/).first().waitFor();
  await page.getByRole('link', { name: 'Queue' }).click();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  await page.getByText(/The queue is paused by maria: Stocktaking\. Paused (just now|\d+ min ago)\./).waitFor();
  await page.getByRole('button', { name: 'Cancel rows.csv' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel rows.csv' }).click();
  await page.getByText('Nothing is waiting.').waitFor();
  assert.equal(await lost(page), false, 'after a cancel in the queue');
  await page.getByRole('button', { name: 'Resume' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Pause the queue…' }).waitFor();
  assert.equal(await lost(page), false, 'after Resume');
  await page.getByRole('button', { name: 'Pause the queue…' }).click();
  await page.getByLabel('Why').fill('Stocktaking');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  assert.equal(await lost(page), false, 'after Pause');
});

story('what is known to fail is not offered, and what is missing can be chosen', both, async ({ window }) => {
  const page = await window('anna');
  const go = page.getByRole('button', { name: 'Upload & Process Now' });
  await choose(page, { name: 'a.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 '.repeat(200)) });
  await page.getByText(/a PDF/).first().waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.className), 'note bad', 'the focus is on the message');
  assert.equal(await go.count() + await page.getByRole('button', { name: 'Upload as JSON' }).count(), 0);
  await choose(page, { name: 'b.csv', mimeType: 'text/csv', buffer: Buffer.from('Was;Wo\nACME;https://www.linkedin.com/company/acme\n') });
  await page.getByLabel(/Column of “Company Name”/).waitFor();
  assert.equal(await go.getAttribute('aria-disabled'), 'true');
  const why = /^To process it, choose the column of “Company Name”/;
  assert.match(await page.locator(`#${await go.getAttribute('aria-describedby')}`).textContent(), why, 'the button says why');
  await choose(page, { name: 'empty.csv', mimeType: 'text/csv', buffer: Buffer.alloc(0) });
  await page.getByText('empty.csv: The file is empty. b.csv is still chosen.').first().waitFor();
  await listen(page);
  await go.click({ force: true }); // it says so itself, as screen readers can press it
  assert.match(await focused(page), /^Choose a column/);
  await page.waitForFunction((words) => window.said.some((one) => new RegExp(words).test(one)), why.source);
  // By the keyboard: each arrow chooses, the focus stays where it is, and what came of it is said.
  await listen(page);
  const [name, profile] = ['Company Name', 'LinkedIn_URL'].map((title) => page.getByLabel(`Column of “${title}”`));
  await name.focus();
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(() => window.said.some((words) => words.includes('Column of “Company Name” (needed): Was')));
  assert.equal(await name.inputValue(), 'Was');
  assert.equal(await page.evaluate(() => document.activeElement.labels?.[0].textContent), 'Column of “Company Name” (needed)');
  assert.deepEqual(await page.evaluate(() => window.said.filter((words) => /is Choose|\.\./.test(words))), [], 'what is not chosen yet is no answer');
  if (await profile.count()) {
    assert.deepEqual(await profile.locator('option').allTextContents(), ['Choose a column', 'Wo'], 'what serves another needed field is not offered');
    await profile.selectOption('Wo');
  }
  await page.waitForFunction(() => !document.querySelector('.undecided, .panel [aria-busy]'));
  assert.equal(await name.inputValue(), 'Was', 'nothing was taken from it');
  assert.equal(await go.getAttribute('aria-disabled'), null);
  await process(page);
  await done(page);
});

story('which of day and month comes first is asked before, and again of a stored file', both, async ({ window, api }) => {
  const page = await window('maria');
  assert.equal((await api(page, 'PUT', '/api/templates/days', days)).status, 201);
  await page.reload();
  await choose(page, dated('dates.csv', '03/08/2024', '04/09/2024'));
  await page.getByLabel('Check the rows against').selectOption('Days');
  const ask = page.getByLabel('Dates in “Since”: 03/08/2024 in B2 is');
  await ask.waitFor();
  assert.deepEqual(await ask.locator('option').allTextContents(), ['Choose which', '3 August 2024 (day first)', '8 March 2024 (month first)']);
  const go = page.getByRole('button', { name: 'Upload & Process Now' });
  await go.click({ force: true });
  assert.match(await focused(page), /^Choose which/, 'it is asked before anything is sent');
  await ask.selectOption('day-month');
  await page.waitForFunction(() => !document.querySelector('.primary[aria-disabled], .panel [aria-busy]'));
  await process(page);
  await done(page);
  assert.match(await work(page).textContent(), /2 stored/);

  // Of a file that is stored it is asked, too, by the same words.
  await chosen(page, dated('more.csv', '05/06/2024', 'soon'));
  await page.getByRole('button', { name: 'Upload as JSON' }).click();
  await work(page).getByText('not processed').first().waitFor();
  await page.getByRole('button', { name: 'Process more.csv' }).click();
  await page.getByRole('button', { name: 'Process now' }).waitFor();
  await page.waitForFunction(() => /^more\.csv/.test(document.activeElement.textContent)); // once it has been looked at
  await page.getByLabel('Check the rows against').selectOption('Days');
  const again = page.getByLabel('Dates in “Since”: 05/06/2024 in B2 is');
  await again.waitFor();
  await again.selectOption('month-day');
  await page.waitForFunction(() => !document.querySelector('.primary[aria-disabled], .panel [aria-busy]'));
  await page.getByRole('button', { name: 'Process now' }).click();
  await done(page);
  assert.match(await work(page).textContent(), /1 stored, 1 to fix/);

  // A script that did not say it: the report says what is open, and leads to the choice.
  await page.evaluate(async () => {
    const form = new FormData();
    form.append('template', 'days');
    form.append('file', new File(['Name,Since\nEleven,07/08/2024\n'], 'script.csv'));
    await fetch('/api/files/upload-and-process', { method: 'POST', body: form });
  });
  await page.reload();
  await done(page);
  await report(page).click();
  await page.getByText('1 date in “Since” can be read in two ways, such as 07/08/2024 in B2.').first().waitFor();
  await page.getByRole('button', { name: 'Choose and process again' }).click();
  await page.getByRole('heading', { name: /^script\.csv/ }).waitFor();
  await page.getByRole('button', { name: 'Process again', exact: true }).waitFor();
});

story('a job that the server was restarted under says so', both, async ({ office, window, api }) => {
  const page = await window('maria');
  await chosen(page, csv('long.csv', 60_000));
  await listen(page);
  await process(page);
  await until(async () => (await api(page, 'GET', '/api/files/processing-status')).body.processing_status.status === 'processing');
  await hold(page, api); // what waits after the restart stays where it is
  await office.stop();
  await office.start();
  await work(page).getByText(/The server was restarted; the file starts again from the beginning\./).first().waitFor();
  const heard = () => page.evaluate(() => window.said.filter((words) => /The server was restarted/.test(words)).length);
  await page.waitForFunction(() => window.said.some((words) => /The server was restarted/.test(words)));
  await release(page, api);
  await done(page);
  assert.equal(await heard(), 1, 'said once');
});

story('a job found at work after a restart says so, whatever its percent', both, async ({ window }) => {
  const page = await window('maria');
  let percent = 50;
  let again = null;
  const job = () => ({ status: 'processing', job_id: 7, file_upload_id: 'f', filename: 'big.csv', begins_again: again, progress: { phase: 'validating', rows_done: percent, rows_total: 100, percent } });
  await page.route('**/processing-status*', async (route) => {
    await new Promise((resolve) => { setTimeout(resolve, 200); });
    await route.fulfill({ json: { success: true, processing_status: job(), queue_info: { user_has_active_job: true, queue_position: 0 } } });
  });
  await page.route(/\/api\/files\?/, (route) => route.fulfill({ json: { success: true, next_cursor: null, files: [{ id: 'f', filename: 'big.csv', size: 9, uploaded_by: 'maria', uploaded_at: new Date().toISOString(), rows: 100, status: 'stored', last_job: job() }] } }));
  const heard = (what) => page.waitForFunction((words) => window.said.includes(words), what);
  await page.addInitScript(hear); // from the first word on
  await page.reload();
  await heard('big.csv: Working, 50 percent');
  again = 'The server was restarted; the file starts again from the beginning.';
  percent = 30;
  await heard(`big.csv: Working, 25 percent · ${again}`);
  percent = 100;
  await heard('big.csv: Working, 75 percent');
  await page.locator('.uploads').getByText(/100\s%/).waitFor();
  await page.waitForResponse(/processing-status/); // what is said is said a moment later
  assert.deepEqual(await page.evaluate(() => window.said.filter((words) => /100 percent/.test(words))), []);
});

story('after an outage the first question is answered at once', both, async ({ office, window }) => {
  const page = await window('anna');
  const asked = [];
  await office.stop();
  const banner = page.getByRole('region', { name: 'Connection' });
  await banner.waitFor();
  page.on('response', (response) => { if (/processing-status/.test(response.url())) asked.push({ url: response.url(), tag: response.request().headers()['if-none-match'] }); });
  await office.start();
  await banner.waitFor({ state: 'hidden' });
  await until(() => asked.length);
  assert.ok(!/wait=/.test(asked[0].url), `${asked[0].url} is held`);
  assert.equal(asked[0].tag, undefined);
});

story('what had no answer is asked again by itself, on every page', both, async ({ window }) => {
  const page = await window('maria');
  const red = page.locator('.note.bad').getByText('No answer from the server.');
  const breaks = async (act) => {
    await page.context().setOffline(true);
    await act();
    await red.first().waitFor();
    await page.context().setOffline(false);
    await red.first().waitFor({ state: 'detached' });
    await page.getByRole('region', { name: 'Connection' }).waitFor({ state: 'hidden' });
  };
  await visit(page, 'records');
  await page.getByText('The list is empty.').waitFor();
  await breaks(() => page.getByLabel('Search the list').fill('acme'));
  await page.getByText('Nothing in the list has “acme”.').waitFor();
  for (const place of ['users', 'audit', 'server', 'profile', 'queue', '']) await breaks(() => visit(page, place));
  // A list that is as it was before stands there again.
  await page.getByRole('link', { name: 'Queue' }).click();
  await page.getByText('Nothing is waiting.').waitFor();
  await breaks(async () => {});
  await page.getByText('Nothing is waiting.').waitFor();
});

story('a file that was received just before the server went is not lost from sight', both, async ({ window }) => {
  const page = await window();
  let away = false;
  // What was asked before has no answer either, from the first question on: a held one would bring the news.
  await page.route(/\/api\/files(\?|\/processing-status|$)/, async (route) => {
    const answer = away ? null : await route.fetch({ url: route.request().url().replace('office.test', '127.0.0.1'), headers: await route.request().allHeaders(), timeout: 0 }).catch(() => null);
    await (away || !answer ? route.abort() : route.fulfill({ response: answer })).catch(() => {});
  });
  await page.route('**/upload-and-process', (route) => { away = true; return route.continue(); });
  await signIn(page, 'anna');
  await chosen(page, csv('mid.csv', 4));
  await process(page);
  await page.getByRole('region', { name: 'Connection' }).waitFor();
  await work(page).filter({ hasText: /mid\.csv.*Waiting.*received/ }).waitFor();
  assert.equal(await focused(page), 'mid.csv');
  away = false;
  await done(page);
  assert.equal(await page.locator('.uploads tbody tr').count(), 1);
});

/** Whether the focus is seen at each edge of what Tab comes to, by pictures with its ring and without. */
async function unseen(page) {
  const missing = [];
  await page.evaluate(() => { window.unringed = new CSSStyleSheet(); window.unringed.replaceSync(':focus-visible { outline-color: transparent !important; }'); });
  const ring = (on) => page.evaluate((shown) => { document.adoptedStyleSheets = shown ? [] : [window.unringed]; return new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }); }, on);
  const seen = new Set();
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const one = document.activeElement;
      if (one === document.body || one.matches('.vh')) return null;
      one.scrollIntoView({ block: 'center' });
      window.stops ??= [];
      if (window.stops.includes(one)) return { again: true };
      window.stops.push(one);
      const { x, y, width, height } = one.getBoundingClientRect();
      return { name: (one.getAttribute('aria-label') || one.textContent).slice(0, 40), x, y, width, height };
    });
    if (!at) continue;
    if (at.again) break;
    seen.add(at.name);
    // A ring stands up to 5 px outside, or inside where it would be cut off.
    const edges = [[at.x - 5, at.y + at.height / 2 - 2, 9, 4], [at.x + at.width - 4, at.y + at.height / 2 - 2, 9, 4], [at.x + at.width / 2 - 2, at.y - 5, 4, 9], [at.x + at.width / 2 - 2, at.y + at.height - 4, 4, 9]];
    const look = async () => { const all = []; for (const [x, y, width, height] of edges) all.push((await page.screenshot({ clip: { x: Math.max(0, x), y: Math.max(0, y), width, height } })).toString('base64')); return all; };
    const with_ = await look();
    await ring(false);
    const without = await look();
    await ring(true);
    const hidden = with_.filter((picture, edge) => picture === without[edge]).length;
    if (hidden) missing.push(`${at.name}: ${hidden} edges`);
  }
  await page.evaluate(() => { window.stops = []; });
  return { missing, count: seen.size };
}

story('the focus is seen at all four edges of whatever has it', both, async ({ window }) => {
  const page = await window('maria', { reducedMotion: 'reduce' });
  const wrong = (i) => (i % 3 ? `Firm ${i},not a url ${i}\n` : `,https://www.linkedin.com/company/${i}\n`);
  await choose(page, { name: 'mixed.csv', mimeType: 'text/csv', buffer: Buffer.from(`Company Name,LinkedIn_URL\n${Array.from({ length: 30 }, (_, i) => wrong(i)).join('')}`) });
  await process(page);
  await done(page);
  for (const place of ['', 'profile', 'records', 'job/1']) {
    await visit(page, place);
    await settled(page);
    const { missing, count } = await unseen(page);
    assert.deepEqual(missing, [], `#/${place}`);
    assert.ok(count > 8, `${count} stops at #/${place}`);
  }
});

story('each upload has one line of buttons, and quotes are the same everywhere', both, async ({ window }) => {
  const page = await window('maria');
  const file = (id, status, more) => ({ id, filename: `${id}.csv`, size: 9, uploaded_by: 'maria', uploaded_at: new Date().toISOString(), rows: 80_000, status: 'stored', last_job: { job_id: 5, status, filename: `${id}.csv`, file_upload_id: id, finished: new Date().toISOString(), counts: null, ...more } });
  const missing = { code: 'missing-columns', message: '"LinkedIn_URL" is needed and no column was matched to it.' };
  const all = [file('a', 'cancelled', { detail: 'Cancelled by maria.' }), file('b', 'failed', { error: missing }), file('c', 'completed', { counts: { rows: 9, valid: 9, updated: 0, duplicates: 0, invalid: 0 } })];
  const errors = [{ type: 'missing-label', row: null, field: 'linkedin_url', column: null, cell: null, value: null, message: missing.message }];
  let some = [all[0]];
  await page.route(/\/api\/files\?/, (route) => route.fulfill({ json: { success: true, next_cursor: null, files: some } }));
  await page.route('**/api/jobs/5', (route) => route.fulfill({ json: { success: true, job: { ...all[1].last_job, template: 'companies', events: [] } } }));
  await page.route('**/api/jobs/5/report', (route) => route.fulfill({ json: { valid: false, stats: { rows: 0, valid: 0, invalid: 0, duplicates: 0, updated: 0, errors: 1 }, columns: [], mapping: [], errors, problems: [{ ...errors[0], count: 1 }], errors_total: 1, hash: 'a' } }));
  for (some of [[all[0]], all]) {
    await page.reload();
    await page.getByRole('link', { name: `${some.at(-1).id}.csv`, exact: true }).waitFor();
    for (const acts of await page.locator('.uploads .acts').all()) {
      if (!await acts.locator('button').count()) continue; // the heading
      const tops = await acts.locator(':scope > :not(.menu), .menu > button').evaluateAll((ones) => ones.map((one) => one.getBoundingClientRect()).map(({ y, height }) => Math.round(y + height / 2)));
      assert.ok(tops.length === 2 && Math.abs(tops[0] - tops[1]) < 2, `${await acts.textContent()} at ${tops}`);
    }
  }
  await visit(page, 'job/5');
  await page.locator('.rule').waitFor();
  assert.match(await page.locator('.rule').textContent(), /^“LinkedIn_URL” is needed/);
  assert.doesNotMatch(await page.locator('main').innerText(), /["']/);
  await page.evaluate(() => { const key = document.createElement('span'); key.className = 'key ok'; document.querySelector('main').append(key); });
  await page.emulateMedia({ forcedColors: 'active' });
  assert.notEqual(await page.locator('.key').last().evaluate((key) => getComputedStyle(key, '::before').backgroundColor), await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'the legend is seen in forced colours');
});

story('Back closes a dialog and nothing else', both, async ({ window }) => {
  const page = await window('maria');
  await page.getByRole('link', { name: 'Users' }).click();
  await page.getByRole('cell', { name: 'anna', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Add a user' }).click();
  await page.getByRole('dialog').waitFor();
  await page.goBack();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.match(page.url(), /#\/users$/);
  assert.equal(await focused(page), 'Add a user');
  // Closed by its button it leaves nothing behind that Back would have to pass.
  await page.getByRole('button', { name: 'Add a user' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.waitForFunction(() => history.state === null);
  await page.goBack();
  await page.getByRole('heading', { name: 'Your uploads' }).waitFor();
  // A name that is taken is said at the name.
  await page.goForward();
  await page.getByRole('button', { name: 'Add a user' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Anna');
  await page.getByLabel('First password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').locator('.note.bad').getByText('There is a user named anna already.').waitFor();
  assert.equal(await page.getByLabel('Name', { exact: true }).getAttribute('aria-invalid'), 'true');
  assert.equal(await page.evaluate(() => document.activeElement.value), 'Anna');
});

story('a new token is taken away by the keyboard, without TLS', both, async ({ window, api }) => {
  const page = await window('anna', { permissions: [] });
  await visit(page, 'profile');
  await settled(page);
  await page.getByRole('button', { name: 'Make a token' }).click();
  await page.getByLabel('Name', { exact: true }).fill('nightly');
  await page.keyboard.press('Enter');
  const box = page.getByLabel('The token');
  await box.waitFor();
  await page.waitForFunction(() => document.activeElement.classList.contains('secret'));
  const token = await box.inputValue();
  assert.equal(await page.evaluate(() => getSelection().toString()), token, 'all of it is selected');
  await page.evaluate(() => document.addEventListener('copy', () => { window.copied = getSelection().toString(); }));
  await listen(page);
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'Copy');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => window.copied);
  assert.equal(await page.evaluate(() => window.copied), token);
  await page.waitForFunction(() => window.said.includes('Copied'));
  assert.equal(await box.evaluate((element) => element.scrollWidth - element.clientWidth), 0, 'all of it is seen');
  const middle = async (one) => { const { y, height } = await one.boundingBox(); return y + height / 2; };
  assert.ok(Math.abs(await middle(box) - await middle(page.getByRole('button', { name: 'Copy', exact: true }))) < 2, 'the button stands beside it');
  // What is revoked gives the focus to the next, else to what makes one.
  for (const name of ['weekly', 'monthly']) assert.equal((await api(page, 'POST', '/api/auth/tokens', { name, expires_in_days: 30 })).status, 201);
  await page.reload();
  for (let left = 3; left > 0; left -= 1) {
    await page.getByRole('button', { name: /^Revoke/ }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: /^Revoke/ }).click();
    await page.waitForFunction((n) => document.querySelectorAll('button[aria-label^="Revoke"]').length === n, left - 1);
    await page.waitForFunction((words) => document.activeElement.textContent === words, left > 1 ? 'Revoke' : 'Make a token');
  }
});

story('a printed report has all its rows, and each number is the same in all places', both, async ({ window }) => {
  const page = await window('anna');
  const line = (i) => (i < 30 ? `Firm ${i},not a url ${i}\n` : `Firm ${i % 50},https://www.linkedin.com/company/${i % 50}\n`);
  await choose(page, { name: 'mixed.csv', mimeType: 'text/csv', buffer: Buffer.from(`Company Name,LinkedIn_URL\n${Array.from({ length: 90 }, (_, i) => line(i)).join('')}`) });
  await process(page);
  await done(page);
  await report(page).click();
  const rows = page.getByRole('table', { name: 'Rows to fix' }).locator('tbody tr');
  await rows.first().waitFor();
  assert.equal(await rows.count(), 20);
  const fix = Number(/(\d+) to fix/.exec(await page.locator('.sum').textContent())[1]);
  const rules = await page.getByRole('group', { name: 'What needs fixing' }).getByRole('button').allTextContents();
  assert.deepEqual(rules, [`LinkedIn_URL is not a web address${fix}`]);
  const column = page.getByRole('table', { name: 'How full the columns are' }).getByRole('row', { name: /LinkedIn_URL/ });
  assert.match(await column.textContent(), new RegExp(`%${fix}$`), 'what is there already is no problem of the column');
  await page.emulateMedia({ media: 'print' });
  const paper = await page.locator('main').innerText();
  assert.match(paper, new RegExp(`20 of ${fix} problems`), 'a part says so');
  assert.match(paper, /Report\s+[0-9a-f]{16}/, 'the hash of the report');
  assert.match(await page.locator('.lead time').evaluate((at) => getComputedStyle(at, '::after').content), /20\d\d.*:\d\d:\d\d/, 'the exact time');
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  assert.equal(await rows.count(), fix);
});

story('the columns of a file are cards on a telephone', both, async ({ window }) => {
  const page = await window('anna', { width: 360, height: 740 });
  await choose(page, { name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.from('Firma;Profil;Bemerkung\nACME;https://www.linkedin.com/company/a-really-long-name-of-a-company-that-goes-on;x\n') });
  const table = page.getByRole('table', { name: 'How the columns are understood' });
  await table.waitFor();
  assert.equal(await table.evaluate((element) => element.parentElement.scrollWidth - element.parentElement.clientWidth), 0, 'nothing to scroll');
  const box = await page.getByLabel('Field for Profil').boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 360);
  assert.equal(await sideways(page), 0);
});

story('an administrator sees whether the server is well', both, async ({ window }) => {
  const page = await window('maria');
  await page.getByRole('link', { name: 'Server' }).click();
  const checks = page.getByRole('table', { name: 'Checks' });
  const row = (name) => checks.getByRole('row', { name });
  await row(/State.*All is well/).waitFor();
  await row(/Database.*Can be written/).waitFor();
  await row(/Room on the disk.*free/).waitFor();
  await row(/Worker.*last seen/).waitFor();
  await row(/Last backup.*None yet/).waitFor();
});

story('the page of a job and of its file tell how far it is, and how it ends', both, async ({ window, api }) => {
  const page = await window('maria');
  await hold(page, api);
  await choose(page, csv('long.csv', 3));
  await process(page);
  await work(page).getByText('Waiting').first().waitFor();
  // The file's own page has the same words and a way to stop it.
  await work(page).getByRole('link', { name: 'long.csv' }).click();
  await page.locator('.status').getByText(/Next · paused by maria/).waitFor();
  await page.getByRole('progressbar', { name: 'Progress of long.csv' }).waitFor();
  await visit(page, 'job/1');
  await page.locator('.status').getByText(/Next/).waitFor();
  assert.equal(await page.title(), 'Waiting · long.csv');
  await listen(page);
  await release(page, api);
  await page.locator('.sum').waitFor();
  const heard = (what) => page.waitForFunction((words) => window.said.some((one) => one.includes(words)), what);
  await heard('long.csv: Done · 3 stored');
  assert.equal(await page.evaluate(() => window.said.filter((words) => /Done/.test(words)).length), 1, 'said once');
  await page.waitForFunction(() => document.title === 'long.csv – Sheetline'); // of nothing under way
  await page.locator('summary', { hasText: 'What the job went through' }).click();
  const went = page.getByRole('table', { name: 'What the job went through' }).locator('tbody tr td:nth-child(2)');
  assert.deepEqual(await went.allTextContents(), ['Waiting', 'Working', 'Done'], 'in people’s words');

  await hold(page, api);
  await visit(page, '');
  await choose(page, csv('stop.csv', 3));
  await process(page);
  await work(page).getByText('Waiting').first().waitFor();
  await visit(page, 'job/2');
  await listen(page);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('main').getByText(/Cancelled by maria at/).waitFor(); // it is said, too
  await heard('stop.csv: Cancelled');

  // Who looks for it when it is gone is told what became of it; the list of deeds names it.
  const { body: { files } } = await api(page, 'GET', '/api/files');
  assert.equal((await api(page, 'DELETE', `/api/files/${files[0].id}`)).status, 200);
  await visit(page, `file/${files[0].id}`);
  await page.getByText(/This upload is gone\. It was deleted by maria on \d+ \w+ at \d\d:\d\d\./).first().waitFor();
  await visit(page, 'audit');
  await page.getByRole('cell', { name: 'stop.csv (job 2)' }).waitFor();
  await page.getByRole('cell', { name: 'stop.csv', exact: true }).waitFor();
});

story('nothing moves while the file is looked into and while a job is at work', both, async ({ window, api }) => {
  const page = await window('anna');
  const maria = await window('maria');
  await choose(page, csv('old.csv', 2));
  await page.getByRole('button', { name: 'Upload as JSON' }).click();
  await work(page).getByText('old.csv').waitFor();
  let look = () => {};
  const held = new Promise((resolve) => { look = resolve; });
  await page.route('**/preview', async (route) => { await held; await route.continue(); });
  await choose(page, csv('long.csv', 60_000));
  const go = page.getByRole('button', { name: 'Upload & Process Now' });
  await page.getByText('Looking into the file').waitFor();
  const before = await go.boundingBox();
  look();
  await page.locator('.panel .known').waitFor();
  assert.deepEqual(await go.boundingBox(), before);
  // From its waiting on.
  await hold(maria, api);
  await go.click();
  await page.locator('.uploads .active').waitFor();
  const places = new Set();
  const stand = async () => places.add(Math.round((await page.locator('.uploads tbody tr').nth(1).boundingBox()).y));
  await stand();
  await release(maria, api);
  while (!await report(page).count()) await stand();
  await stand();
  assert.equal(places.size, 1, `the row below stood at ${[...places]}`);
  // The room that it had goes to the next.
  await hold(maria, api);
  await page.getByRole('button', { name: 'Process old.csv' }).click();
  await page.getByRole('button', { name: 'Cancel old.csv' }).waitFor();
  await page.locator('.tall', { hasText: 'old.csv' }).waitFor();
  assert.equal(await page.locator('.tall').count(), 1);
});

story('a busy database is told while it is tried again', both, async ({ window }) => {
  const page = await window('anna');
  let tries = 0;
  await page.route('**/upload-and-process', async (route) => {
    tries += 1;
    if (tries > 1) return route.continue();
    return route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ status: 503, code: 'busy', detail: 'The database is busy.', retry_after: 5 }) });
  });
  await page.evaluate(() => { // a browser does not tell how an upload goes that a test answers
    const { send } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.send = function sent(body) { setTimeout(() => this.upload.onload?.()); send.call(this, body); };
  });
  await listen(page);
  await choose(page, csv('busy.csv', 2));
  await page.waitForFunction(() => window.said.some((words) => /All 2 columns recognised/.test(words)));
  await process(page);
  await page.locator('.status').getByText('The database is busy. Trying again in 5 s.').waitFor();
  await done(page);
  assert.ok(await page.evaluate(() => window.said.includes('The database is busy. Trying again in 5 s.')), 'it is said');
  assert.equal(await page.evaluate(() => window.said.filter((words) => /^Received/.test(words)).length), 1, 'received is said once');
});

story('the list of records shows where each comes from, and its numbers stand right', both, async ({ window }) => {
  const page = await window('anna');
  const name = 'a file with a name that somebody gave it on a Friday.csv';
  const lines = ['Company Name,LinkedIn_URL,Website_URL,Company_Size,Industry,Revenue', ...[1, 2].map((i) => `A company with quite a long name ${i} GmbH & Co. KG,https://www.linkedin.com/company/acompanywithquitealongnameandnohyphen${i},https://www.acompanywithalongnameandnohyphen${i}.example.org,${i}500,Machinery and plant engineering,1234567`)];
  await choose(page, { name, mimeType: 'text/csv', buffer: Buffer.from(`${lines.join('\n')}\n`) });
  await process(page);
  await done(page);
  await visit(page, 'records');
  const list = page.getByRole('table', { name: 'Records' });
  await list.waitFor();
  assert.equal(await list.evaluate((element) => element.parentElement.scrollWidth - element.parentElement.clientWidth), 0, 'all of it is seen at 1280 px');
  const row = list.locator('tbody tr').first();
  assert.match(await row.textContent(), /row\s[23]anna$/);
  const number = row.getByRole('cell', { name: '1,234,567', exact: true });
  assert.equal(await number.evaluate((cell) => getComputedStyle(cell).textAlign), 'end');
  await row.getByRole('cell', { name: /^[12],500$/ }).waitFor();
});

story('an administrator sees what is wrong with the server', both, async ({ window }) => {
  const page = await window('maria');
  await page.route('**/api/health', (route) => route.fulfill({ status: 503, json: { status: 'disk-full', version: '1.0.0', uptime_seconds: 60, scheduler_running: true, queue: { pending: 4, processing: 0, paused: true }, setup_needed: false, database_writable: false, disk_free_bytes: 1_300_000, worker: { running: false, silent_seconds: 4000 } } }));
  await page.getByRole('link', { name: 'Server' }).click();
  const row = (name) => page.getByRole('table', { name: 'Checks' }).getByRole('row', { name });
  await row(/State.*Disk full/).waitFor();
  await row(/Worker.*Is gone/).waitFor();
});

story('the last day is seen from its first job on', both, async ({ window, api }) => {
  const page = await window('maria');
  await hold(page, api); // so that it has waited
  await choose(page, csv('one.csv', 2));
  await process(page);
  await work(page).getByText('Waiting').first().waitFor();
  await release(page, api);
  await done(page);
  await page.getByRole('link', { name: 'Server' }).click();
  await page.getByRole('heading', { name: 'The last 24 hours' }).waitFor();
  const highest = await page.locator('.chart').evaluateAll((charts) => charts.map((chart) => Math.max(...[...chart.querySelectorAll('rect')].map((column) => column.getBBox().height))));
  assert.deepEqual(highest, [100, 100], 'jobs and waiting time have a column each');
  await page.getByText('at most 1 job in an hour').waitFor();
  await page.getByText(/Waiting time.*at most/).first().waitFor();
  const hours = page.locator('details', { hasText: 'Hour by hour' });
  await hours.locator('summary').click();
  const row = page.getByRole('table', { name: 'Hour by hour' }).locator('tbody tr');
  assert.match(await row.textContent(), /^\d\d:\d\d102.* s$/);
  const [old] = await hours.elementHandles();
  await page.waitForFunction((before) => !before.isConnected, old);
  assert.equal(await hours.getAttribute('open'), '', 'what is open stays open when new figures come');
});

story('another window hears of what was stored, and of the end of the session', both, async ({ window }) => {
  const page = await window('anna');
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.getByText('No uploads yet.').first().waitFor();
  await choose(page, csv('leads.csv', 3));
  await page.getByRole('button', { name: 'Upload as JSON' }).click();
  await work(other).getByText('leads.csv').waitFor();
  await page.getByRole('button', { name: 'anna' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await other.getByRole('heading', { name: 'Sign in to Sheetline' }).waitFor();
});

story('a sign-in that has to wait keeps the focus and ends its warning', both, async ({ window }) => {
  const page = await window();
  await page.route('**/login', (route) => route.fulfill({ status: 429, contentType: 'application/problem+json', body: JSON.stringify({ status: 429, code: 'too-many-attempts', detail: 'Wait.', retry_after: 2 }) }));
  await listen(page);
  await page.evaluate(() => { window.stops = []; addEventListener('focusin', ({ target }) => window.stops.push(target.className || target.textContent)); });
  await signIn(page, 'anna');
  await page.waitForFunction(() => window.said.includes('Too many tries. Wait 2 seconds.'));
  assert.equal((await page.evaluate(() => window.stops)).includes('note bad'), true, 'the focus is on the message');
  await page.waitForFunction(() => document.activeElement.textContent === 'Sign in');
  assert.equal(await page.locator('.note.bad').count(), 0);
  await page.waitForFunction(() => window.said.includes('You can try again'));
});

story('what is for administrators is refused in words, and a failed file leads on', both, async ({ window }) => {
  const page = await window('anna');
  await visit(page, 'users');
  await page.getByText('Only administrators can do this.').waitFor();
  await visit(page, 'nowhere');
  await page.getByText('This address leads nowhere.').waitFor();
  const failed = { job_id: 7, status: 'failed', filename: 'hr.xlsx', file_upload_id: 'f', error: { code: 'password-protected', message: 'The file is protected with a password.' } };
  const cancelled = { job_id: 6, status: 'cancelled', filename: 'old.xlsx', file_upload_id: 'g', detail: 'Cancelled by anna.', finished: new Date(Date.now() - 9 * 86_400_000).toISOString() };
  const file = (last_job) => ({ id: last_job.file_upload_id, filename: last_job.filename, size: 9, uploaded_by: 'anna', uploaded_at: new Date().toISOString(), rows: null, status: 'stored', last_job });
  await page.route(/\/api\/files\?/, (route) => route.fulfill({ json: { success: true, next_cursor: null, files: [file(failed), file(cancelled)] } }));
  await visit(page, '');
  await work(page).getByRole('link', { name: 'Why? hr.xlsx' }).waitFor();
  await page.getByText(/Cancelled by anna at \d\d:\d\d \(\d+ \w+( \d+)?\)\. Nothing was stored\./).waitFor(); // not today
  const chooser = page.waitForEvent('filechooser');
  await work(page).getByRole('button', { name: 'More for hr.xlsx' }).click();
  await work(page).getByRole('button', { name: 'Choose another' }).click();
  await (await chooser).setFiles(csv('open.csv', 2));
  await page.locator('.panel .known').waitFor();
  // The page of a file names the sheet whose rows it shows: the first that has some.
  const sheets = [['Summary', 0, false], ['Notes', 3, true], ['Customers', 1, false]].map(([name, rows, hidden]) => ({ name, rows, hidden }));
  await page.route(/\/api\/files\/f$/, (route) => route.fulfill({ json: { success: true, file: { id: 'f', filename: 'book.xlsx', size: 9, uploaded_by: 'anna', uploaded_at: new Date().toISOString(), rows: 1, status: 'stored', sha256: 'a', sheets, last_job: null } } }));
  await page.route(/\/api\/files\/f\/json/, (route) => route.fulfill({ body: '{"Firma":"ACME"}\n' }));
  await visit(page, 'file/f');
  await page.getByRole('cell', { name: 'ACME' }).waitFor();
  assert.equal(await page.getByLabel('Sheet').inputValue(), 'Customers');
  assert.equal(await page.title(), 'book.xlsx – Sheetline');
});

story('the choice of a needed column can be taken back', both, async ({ window }) => {
  const page = await window('anna');
  await choose(page, { name: 'missing.csv', mimeType: 'text/csv', buffer: Buffer.from('Firma,Zweck,Ort\nACME,Anvils,Ulm\nBolt,Bolts,Bonn\n') });
  const column = page.getByLabel('Column of “LinkedIn_URL”');
  await column.waitFor();
  await listen(page);
  await column.focus();
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(() => window.said.some((words) => words.includes('Column of “LinkedIn_URL” (needed): ')));
  await page.keyboard.press('ArrowUp');
  await page.waitForFunction(() => /To process it, choose the column of “LinkedIn_URL”\.$/.test(window.said.at(-1)));
  assert.equal(await column.inputValue(), '');
  assert.equal(await column.evaluate((at) => at === document.activeElement), true, 'the focus stays');
  assert.equal(await page.locator('.note.bad').count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Upload & Process Now' }).getAttribute('aria-disabled'), 'true');
  assert.deepEqual(await page.evaluate(() => window.said.filter((words) => /\?\./.test(words))), []);
});

story('a fault that only later rows have is counted, and its first row shown', both, async ({ window }) => {
  const page = await window('anna');
  const row = (i) => (i < 1000 ? `C${i},x${i}` : `${i % 2 ? `C${i}` : ''},https://www.linkedin.com/company/${i}`);
  await choose(page, { name: 'viele.csv', mimeType: 'text/csv', buffer: Buffer.from(`Company Name,LinkedIn_URL\n${Array.from({ length: 3000 }, (_, i) => `${row(i)}\n`).join('')}`) });
  await process(page);
  await done(page);
  await report(page).click();
  const rules = page.getByRole('group', { name: 'What needs fixing' }).getByRole('button');
  await rules.first().waitFor();
  assert.deepEqual((await rules.allTextContents()).sort(), ['Company Name is empty1,000', 'LinkedIn_URL is not a web address1,000']);
  assert.match(await page.locator('main').innerText(), /20 of 2,000 problems/);
  assert.match(await page.getByRole('table', { name: 'How full the columns are' }).getByRole('row', { name: /Company Name/ }).textContent(), /%1,000$/);
  await rules.filter({ hasText: 'Company Name' }).click();
  assert.match(await page.locator('main').innerText(), /1 of 1,000 problems · only: Company Name is empty/);
  assert.match(await page.getByRole('table', { name: 'Rows to fix' }).locator('tbody tr').first().textContent(), /^1,002A1002Company Name/);
});

story('the end of a job is told and shown, however quick it was', both, async ({ window }) => {
  const page = await window('anna');
  // The page first hears of its job, and of the answer to its upload, when all is over.
  let end = () => {};
  const over = new Promise((resolve) => { end = resolve; });
  await page.exposeFunction('end', () => end());
  await page.route('**/processing-status*', async (route) => { await over; await route.continue(); });
  await page.reload();
  await page.getByRole('heading', { name: 'Your uploads' }).waitFor();
  await listen(page);
  await page.evaluate(() => Object.defineProperty(XMLHttpRequest.prototype, 'onload', { set(told) {
    this.addEventListener('load', async () => {
      const { job_id: id } = JSON.parse(this.responseText);
      const state = async () => (await (await fetch(`/api/jobs/${id}`)).json()).job.status;
      while (id && await state() !== 'completed') await new Promise((resolve) => { setTimeout(resolve, 50); });
      told();
      if (id) await window.end();
    });
  } }));
  await chosen(page, csv('one.csv', 1));
  await process(page);
  await page.waitForFunction((words) => window.said.includes(words), 'one.csv: Done · 1 stored');
  assert.match(await work(page).textContent(), /Done1 stored/);
  await page.getByRole('link', { name: 'Records' }).click();
  await page.getByRole('table', { name: 'Records' }).waitFor();
  await listen(page);
  await page.getByRole('navigation').getByRole('link', { name: 'Uploads' }).click();
  await work(page).getByText('1 stored').first().waitFor();
  assert.deepEqual(await page.evaluate(() => window.said.filter((words) => /Done/.test(words))), [], 'once');
});

story('what was opened stays open while the file is read another way', both, async ({ window }) => {
  const page = await window('anna');
  await chosen(page, csv('a.csv', 3));
  await page.getByText('First 3 rows').click();
  await page.locator('summary', { hasText: 'All 2 columns recognised' }).click();
  await page.getByText('Reading details').click();
  const open = () => page.locator('.panel details[open]').count();
  assert.equal(await open(), 3);
  await page.getByLabel('Encoding').selectOption('windows-1252');
  await page.locator('.panel .grid:not([aria-busy])').waitFor();
  assert.equal(await open(), 3);
  await chosen(page, csv('b.csv', 3));
  assert.equal(await open(), 0, 'of another file');
});

story('the small ones that lead on', both, async ({ office, window, api }) => {
  const stranger = await window();
  await stranger.goto('about:blank');
  await stranger.goto(`${office.url}/#setup=AAAA-BBBB-CCCC`);
  await stranger.getByText('Sheetline is set up already.').first().waitFor();
  await signIn(stranger, 'anna');
  await stranger.getByRole('heading', { name: 'Your uploads' }).waitFor();

  // Headers only: where they are can be said.
  await choose(stranger, { name: 'head.csv', mimeType: 'text/csv', buffer: Buffer.from('Company Name,LinkedIn_URL\n') });
  await stranger.getByText(/headers in row 1 but no rows/).first().waitFor();
  await stranger.getByLabel('Headers are in row').waitFor();

  // A row that repeats another in two ways is one row.
  await choose(stranger, { name: 'twice.csv', mimeType: 'text/csv', buffer: Buffer.from('Company Name,LinkedIn_URL,Website_URL\nA,https://l.example/a,https://a.example\nA,https://l.example/a,https://a.example\n') });
  await process(stranger);
  await done(stranger);
  await report(stranger).click();
  await stranger.getByText('2 of 2 repeats').waitFor();
  assert.deepEqual(await stranger.getByRole('group', { name: 'What is repeated' }).getByRole('button').allTextContents(), ['LinkedIn_URL: same value twice in the file1', 'Company Name, Website_URL: same value twice in the file1']);
  const lines = await stranger.getByRole('table', { name: 'Repeated rows' }).locator('tbody tr').allTextContents();
  assert.match(lines.join('\n'), /3A3, C3Company Name, Website_URLA, https:\/\/a\.example/);

  // Nothing stored: nothing to take away, nothing to undo.
  await visit(stranger, '');
  await choose(stranger, { name: 'bad.csv', mimeType: 'text/csv', buffer: Buffer.from('Company Name,LinkedIn_URL\nX,x\n') });
  await process(stranger);
  await stranger.getByRole('link', { name: 'Report bad.csv' }).click();
  await stranger.getByRole('link', { name: 'Rows to fix (.xlsx)' }).waitFor();
  assert.equal(await stranger.getByText('Undo this import').count() + await stranger.getByText('Clean list').count(), 0);

  const maria = await window('maria');
  await hold(maria, api);
  await release(maria, api);
  await maria.getByRole('link', { name: 'Audit' }).click();
  await maria.getByText('queue paused').waitFor();
  await maria.getByText('Stocktaking').waitFor();
  await maria.getByRole('link', { name: 'Users' }).click();
  await maria.getByRole('button', { name: 'Add a user' }).click();
  assert.equal(await maria.getByLabel('Name', { exact: true }).getAttribute('autocomplete'), 'off');
});

story('a slow search says that it looks, and the old rows go', both, async ({ window }) => {
  const page = await window('anna');
  await choose(page, csv('a.csv', 3));
  await process(page);
  await done(page);
  await page.getByRole('link', { name: 'Records' }).click();
  await page.getByRole('table', { name: 'Records' }).waitFor();
  let go = () => {};
  const held = new Promise((resolve) => { go = resolve; });
  await page.route(/records\?.*q=zzz/, async (route) => { await held; await route.continue(); });
  await listen(page);
  await page.getByLabel('Search the list').fill('zzz');
  await page.waitForFunction(() => window.said.includes('Searching…'));
  assert.equal(await page.getByRole('table', { name: 'Records' }).count(), 0);
  assert.equal(await page.locator('main [aria-busy]').count(), 1);
  go();
  await page.getByText('Nothing in the list has “zzz”.').waitFor();
  assert.equal(await page.locator('main [aria-busy]').count(), 0);

  // A question that fails after a newer one was answered takes nothing from the answer.
  let fail = () => {};
  const failing = new Promise((resolve) => { fail = resolve; });
  await page.route(/records\?.*q=old/, async (route) => { await failing; await route.abort(); });
  const [old] = await Promise.all([page.waitForRequest(/q=old/), page.getByLabel('Search the list').fill('old')]);
  await page.getByLabel('Search the list').fill('yyy');
  await page.getByText('Nothing in the list has “yyy”.').waitFor();
  const failed = page.waitForEvent('requestfailed', (request) => request === old);
  fail();
  await failed;
  await page.evaluate(() => new Promise((resolve) => { setTimeout(resolve, 200); }));
  assert.equal(await page.locator('.note.bad').count(), 0);
  await page.getByText('Nothing in the list has “yyy”.').waitFor();

  // What is found after one has gone elsewhere is not said there.
  const held2 = new Promise((resolve) => { go = resolve; });
  await page.route(/records\?.*q=Company/, async (route) => { await held2; await route.continue(); });
  const answered = page.waitForResponse(/q=Company/);
  await Promise.all([page.waitForRequest(/q=Company/), page.getByLabel('Search the list').fill('Company')]);
  await page.getByRole('link', { name: 'Uploads' }).click();
  await page.getByRole('heading', { name: 'Your uploads' }).waitFor();
  go();
  await (await answered).finished();
  await chosen(page, csv('b.csv', 1));
  await page.waitForFunction(() => window.said.some((one) => /recognised/.test(one)));
  assert.deepEqual(await page.evaluate(() => window.said.filter((one) => one === '3 records')), []);
});

story('older uploads come below, with the focus on the first of them', both, async ({ window }) => {
  const page = await window('anna');
  const file = (i) => ({ id: `f${i}`, filename: `${i}.csv`, size: 9, uploaded_by: 'anna', uploaded_at: new Date().toISOString(), rows: 1, status: 'stored', last_job: null });
  const all = Array.from({ length: 60 }, (_, i) => file(i));
  await page.route(/\/api\/files\?/, (route) => {
    const limit = Number(/limit=(\d+)/.exec(route.request().url())[1]);
    return route.fulfill({ json: { success: true, files: all.slice(0, limit), next_cursor: limit < 60 ? 'c' : null } });
  });
  await page.reload();
  await listen(page);
  await page.getByRole('button', { name: 'Show older' }).click();
  await page.waitForFunction(() => window.said.includes('60 uploads'));
  assert.equal(await focused(page), '50.csv');
  // And whoever looks at one of them finds it again.
  await page.getByRole('link', { name: '55.csv' }).click();
  await page.getByRole('heading', { name: 'Upload', exact: true }).waitFor();
  await page.goBack();
  await page.waitForFunction(() => document.activeElement.textContent === '55.csv');
  assert.ok(await page.evaluate(() => scrollY > 0 && document.querySelectorAll('.uploads tbody tr').length === 60));
  // But what is processed again has the focus, not the row that was left.
  await page.route(/\/api\/files\/f55$/, (route) => route.fulfill({ json: { success: true, file: { ...file(55), sha256: 'a', sheets: [] } } }));
  await page.route(/\/api\/files\/f55\/json/, (route) => route.fulfill({ body: '{"a":1}' }));
  await page.route(/\/api\/files\/f55\/preview/, (route) => route.fulfill({ json: { success: true, sheets: [{ name: '', rows: 1, visibility: 'visible' }], mapping: [], missing: ['company_name'], dates: [], notices: [], rows: [] } }));
  await page.getByRole('link', { name: '55.csv' }).click();
  await page.getByRole('heading', { name: '55.csv' }).waitFor();
  let go = () => {};
  const held = new Promise((resolve) => { go = resolve; });
  await page.route(/\/api\/files\?/, async (route) => { await held; await route.fallback(); });
  await page.getByRole('button', { name: 'Process', exact: true }).click();
  await page.waitForFunction(() => /^55\.csv/.test(document.activeElement.textContent) && document.activeElement.tagName === 'H2');
  go();
  await page.getByRole('link', { name: '55.csv' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H2');
});

story('a file that is gone is told as such', both, async ({ office, window }) => {
  const page = await window('anna');
  const path = `${office.folder}/gone.csv`;
  writeFileSync(path, csv('gone.csv', 3).buffer);
  await chosen(page, path);
  rmSync(path);
  await process(page);
  await page.getByText(/could not be read from your computer/).first().waitFor();
});

story('records of colleagues lead nowhere that is closed, and those without a template can be looked at', both, async ({ window }) => {
  const maria = await window('maria');
  await choose(maria, csv('m.csv', 1));
  await process(maria);
  await done(maria);
  const anna = await window('anna');
  await chosen(anna, { name: 'free.csv', mimeType: 'text/csv', buffer: Buffer.from('Thing,Price\nAnvil,5\n') });
  await anna.getByText('Options for processing').click();
  await anna.getByLabel('Check the rows against').selectOption('auto');
  await anna.locator('.panel .grid:not([aria-busy])').waitFor();
  await process(anna);
  await done(anna);
  await report(anna).click();
  await anna.getByText(/checked without a template/).first().waitFor();
  await anna.getByRole('link', { name: 'Records' }).click();
  const table = anna.getByRole('table', { name: 'Records' });
  await table.getByRole('cell', { name: 'm.csv row 2' }).waitFor();
  assert.equal(await table.getByRole('link', { name: 'm.csv' }).count(), 0);
  await anna.getByLabel('Template').selectOption('auto');
  const free = anna.getByRole('table', { name: 'free.csv' });
  await free.getByText('Anvil').waitFor();
  assert.equal(await free.getByRole('link', { name: 'free.csv' }).count(), 1);
  // Another list has its own columns.
  await visit(anna, '');
  await chosen(anna, { name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from('Who,Town\nOtto,Ulm\n') });
  await anna.getByText('Options for processing').click();
  await anna.getByLabel('Check the rows against').selectOption('auto');
  await anna.locator('.panel .grid:not([aria-busy])').waitFor();
  await process(anna);
  await work(anna).getByText('people.csv').waitFor();
  await done(anna);
  await visit(anna, 'records?template=auto');
  const heads = (name) => anna.getByRole('table', { name }).getByRole('columnheader').allTextContents();
  await anna.getByRole('heading', { name: 'people.csv' }).waitFor();
  assert.deepEqual([await heads('free.csv'), await heads('people.csv')], [['Thing', 'Price', 'From', 'Added by'], ['Who', 'Town', 'From', 'Added by']]);
  assert.deepEqual(await axe(anna), []);
  await maria.getByRole('link', { name: 'Records' }).click();
  await maria.getByRole('table', { name: 'Records' }).getByRole('link', { name: 'm.csv' }).waitFor();
});

story('the headers of a long list stay in sight', both, async ({ window }) => {
  const page = await window('anna');
  await choose(page, csv('long.csv', 100));
  await process(page);
  await done(page);
  await page.getByRole('navigation').getByRole('link', { name: 'Records' }).click();
  const list = page.getByRole('table', { name: 'Records' });
  await list.getByText(/^Company long.csv /).nth(99).waitFor();
  await list.getByText(/^Company long.csv /).last().scrollIntoViewIfNeeded();
  const { y } = await list.getByRole('columnheader').first().boundingBox();
  assert.ok(y > 0 && y < 900, `the headers are at ${y}`);
  const narrow = await window('anna', { width: 360 });
  await narrow.getByRole('navigation').getByRole('link', { name: 'Records' }).click();
  const box = narrow.getByRole('group', { name: 'Records' });
  await box.waitFor();
  assert.ok(await box.evaluate((it) => it.scrollHeight - it.clientHeight) <= 1, 'cards scroll with the page');
});

story('the page has the system’s colours until somebody chooses others, and then keeps those', both, async ({ window }) => {
  const page = await window('anna', { dark: true });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const [LIGHT, DARK] = ['rgb(246, 246, 243)', 'rgb(20, 22, 26)'];
  assert.equal(await ground(), DARK);
  await page.emulateMedia({ colorScheme: 'light' });
  assert.equal(await ground(), LIGHT);
  await page.getByLabel('Appearance').selectOption('Dark');
  assert.equal(await ground(), DARK);
  await page.reload();
  await page.getByLabel('Appearance').waitFor();
  assert.equal(await ground(), DARK);
  await page.getByLabel('Appearance').selectOption('Colours of the system');
  await page.reload();
  await page.getByLabel('Appearance').waitFor();
  assert.equal(await ground(), LIGHT);
});

story('a window out of sight keeps no connection busy, and looks at once when it is seen again', both, async ({ window }) => {
  const page = await window('anna');
  const sight = (hidden) => page.evaluate((so) => {
    Object.defineProperty(document, 'hidden', { value: so, configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    globalThis.asked = [];
  }, hidden);
  await page.evaluate(() => {
    const really = globalThis.fetch;
    globalThis.fetch = (path, how) => { globalThis.asked?.push(path); return really(path, how); };
  });
  const looks = (path, n = 1) => page.waitForFunction(([of, least]) => globalThis.asked.filter((one) => one.startsWith(of)).length >= least, [path, n]);
  const status = '/api/files/processing-status';
  await sight(true);
  await looks(status, 3);
  assert.deepEqual(await page.evaluate(() => globalThis.asked.filter((path) => /wait=/.test(path))), []);
  await sight(false);
  await looks(`${status}?wait=`);
});

story('whoever signs in for somebody else is not asked about what that one left', both, async ({ window }) => {
  const page = await window('anna');
  const asked = [];
  page.on('dialog', (dialog) => { asked.push(dialog.type()); dialog.dismiss(); });
  await chosen(page, csv('a.csv', 3));
  await api(page, 'POST', '/api/auth/logout', {});
  await process(page);
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('maria');
  await dialog.getByLabel('Password').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.who').getByText('maria').waitFor();
  assert.deepEqual(asked, []);
  assert.equal(await page.getByText('a.csv').count(), 0);
});

story('what an import updated is told as such, and the heading says whose uploads are shown', both, async ({ window }) => {
  const page = await window('maria');
  await chosen(page, csv('a.csv', 3));
  await process(page);
  await work(page).getByText('3 stored').waitFor();
  await chosen(page, { ...csv('a.csv', 3), name: 'b.csv', buffer: Buffer.from(csv('a.csv', 3).buffer.toString().replace('Company a.csv 0', 'Another')) });
  await page.getByText('Options for processing').click();
  await page.getByLabel('A row that is already in the list').selectOption('update');
  await process(page);
  await work(page).getByText('1 updated, 2 already there').waitFor();
  const { body: { job } } = await api(page, 'GET', '/api/jobs/2');
  assert.deepEqual([job.counts.updated, job.counts.unchanged], [3, 2]);
  await report(page).click();
  await page.getByText('1 updated').first().waitFor();
  await page.goBack();
  await page.getByLabel('Whose uploads').selectOption('Everybody’s');
  await page.getByRole('heading', { name: 'Everybody’s uploads' }).waitFor();
  await page.getByLabel('Whose uploads').selectOption('Mine');
  await page.getByRole('heading', { name: 'Your uploads' }).waitFor();
});

const rows = (page, n) => page.waitForFunction((many) => document.querySelectorAll('.uploads tbody tr').length === many, n);

story('what is begun is seen whatever the filter, and what a filter hides takes no focus later', both, async ({ window, api }) => {
  const page = await window('anna');
  const maria = await window('maria');
  await choose(page, csv('leads.csv', 3));
  await page.getByRole('button', { name: 'Upload as JSON' }).click();
  await work(page).getByText('not processed').waitFor();
  const state = page.getByLabel('State');
  await state.selectOption('Not processed');
  await listen(page);
  await page.getByRole('button', { name: 'Process leads.csv' }).click();
  await work(page).getByText('3 stored').waitFor();
  assert.equal(await state.inputValue(), '', 'the filter has gone');
  assert.equal(await focused(page), 'leads.csv');
  await page.waitForFunction(() => window.said.includes('leads.csv: Done · 3 stored'));

  // One that has ended since it was left, and so is not among those at work any more.
  await hold(maria, api);
  await choose(page, csv('slow.csv', 3));
  await process(page);
  await work(page).getByText(/Next/).first().waitFor();
  await state.selectOption('Waiting or working');
  await rows(page, 1);
  await page.getByRole('link', { name: 'slow.csv', exact: true }).click();
  await page.locator('.status').getByText(/Next/).waitFor();
  await release(maria, api);
  await page.getByRole('link', { name: 'Report' }).waitFor();
  await page.goBack();
  await page.getByText('No upload fits this search.').waitFor();
  await state.focus();
  await state.selectOption('All states');
  await rows(page, 2);
  assert.equal(await state.evaluate((select) => select === document.activeElement), true, 'the focus stays');
});

story('an answer that comes late makes no second row', both, async ({ window }) => {
  const page = await window('anna');
  await page.evaluate(() => {
    const ask = window.fetch;
    Object.defineProperty(XMLHttpRequest.prototype, 'onload', { set(told) {
      this.addEventListener('load', async () => {
        if (JSON.parse(this.responseText).file_upload_id) {
          dispatchEvent(new Event('focus')); // the list is looked at again
          while (!document.querySelector('.uploads tbody tr')) await new Promise(requestAnimationFrame);
          window.fetch = (path, how) => (path.startsWith('/api/files?') ? new Promise(() => {}) : ask(path, how));
        }
        told();
        window.answered = Boolean(JSON.parse(this.responseText).file_upload_id);
      });
    } });
  });
  await chosen(page, csv('late.csv', 3));
  await page.getByRole('button', { name: 'Upload as JSON' }).click();
  await page.waitForFunction(() => window.answered && !document.querySelector('.panel'));
  assert.equal(await page.locator('.uploads tbody tr').count(), 1);
});

story('an open report follows what is done to its job in another window', both, async ({ window, api }) => {
  const page = await window('maria');
  await choose(page, csv('list.csv', 2));
  await process(page);
  await work(page).getByText('2 stored').waitFor();
  const other = await page.context().newPage();
  await other.goto(page.url());
  await visit(other, 'job/1');
  await other.getByRole('button', { name: 'Undo this import' }).waitFor();
  assert.equal((await api(page, 'POST', '/api/jobs/1/undo', {})).status, 200);
  await other.getByText(/Taken back by maria/).first().waitFor(); // in the window that nobody touched
});

story('a report that tells only the problems it lists is shown all the same', both, async ({ window }) => {
  const page = await window('maria');
  await page.route('**/api/jobs/*/report', async (route) => {
    const answer = await route.fetch({ url: route.request().url().replace('office.test', '127.0.0.1'), headers: await route.request().allHeaders() });
    const { problems, ...old } = await answer.json();
    assert.ok(problems.length);
    await route.fulfill({ json: old });
  });
  await choose(page, { name: 'bad.csv', mimeType: 'text/csv', buffer: Buffer.from('Company Name,LinkedIn_URL\nACME,https://www.linkedin.com/company/acme\n,https://www.linkedin.com/company/b\n') });
  await process(page);
  await done(page);
  await report(page).click();
  await page.getByRole('table', { name: 'Rows to fix' }).waitFor();
  assert.equal(await page.getByRole('group', { name: 'What needs fixing' }).getByRole('button').count(), 1);
});

story('an open report says when an administrator undoes it, and keeps the words of one’s own undoing', both, async ({ window, api }) => {
  const page = await window('anna');
  const maria = await window('maria');
  for (const name of ['a.csv', 'b.csv']) {
    await choose(page, csv(name, 2));
    await process(page);
    await work(page).getByText(name).waitFor();
    await done(page);
  }
  await visit(page, 'job/2');
  await page.locator('.sum').waitFor();
  await listen(page);
  await page.getByRole('button', { name: 'More', exact: true }).focus();
  assert.equal((await api(maria, 'POST', '/api/jobs/2/undo', {})).status, 200);
  await page.getByText(/Taken back by maria/).first().waitFor();
  assert.equal(await focused(page), 'More', 'the focus stays');
  await page.waitForFunction(() => window.said.some((words) => /b\.csv: Undone/.test(words)));
  await visit(page, 'job/1');
  await page.getByRole('button', { name: 'Undo this import' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Undo this import' }).click();
  await page.locator('.note.ok').getByText(/The import was undone/).waitFor();
  await page.getByText(/Taken back by anna/).first().waitFor();
  await page.evaluate(() => dispatchEvent(new Event('focus')));
  assert.equal(await page.locator('.note.ok').getByText(/The import was undone/).count(), 1);
});

story('a row without its primary key is to fix and no repetition', both, async ({ window, api }) => {
  const page = await window('maria');
  assert.equal((await api(page, 'PUT', '/api/templates/parts', { title: 'Parts', fields: [{ name: 'no', title: 'Part No', type: 'string' }, { name: 'what', title: 'What', type: 'string' }], primaryKey: 'no' })).status, 201);
  await page.reload();
  await choose(page, { name: 'parts.csv', mimeType: 'text/csv', buffer: Buffer.from('Part No,What\n1,a\n,b\n,c\n1,d\n') });
  await page.getByLabel('Check the rows against').selectOption('Parts');
  await page.locator('.panel .grid:not([aria-busy]) .known', { hasText: 'All 2 columns recognised' }).waitFor();
  await process(page);
  await done(page);
  await report(page).click();
  const rules = (name) => page.getByRole('group', { name }).getByRole('button').allTextContents();
  await page.getByRole('table', { name: 'Repeated rows' }).waitFor();
  assert.deepEqual(await rules('What needs fixing'), ['Part No must not be empty: it tells rows apart2']);
  assert.deepEqual(await rules('What is repeated'), ['same key twice in the file1']);
  assert.deepEqual(await page.getByRole('table', { name: 'Rows to fix' }).locator('tbody td:nth-child(2)').allTextContents(), ['A3', 'A4']);
  assert.match(await page.getByRole('table', { name: 'How full the columns are' }).getByRole('row', { name: /Part No/ }).textContent(), /%2$/);
});

story('whoever opens a job from the records comes back to the same place', both, async ({ window }) => {
  const page = await window('anna');
  await choose(page, csv('long.csv', 260));
  await process(page);
  await done(page);
  await page.getByRole('navigation').getByRole('link', { name: 'Records' }).click();
  const list = page.getByRole('table', { name: 'Records' }).locator('tbody tr');
  const many = (n) => page.waitForFunction((all) => document.querySelectorAll('tbody tr').length === all, n);
  for (const n of [100, 200]) {
    await many(n);
    await page.getByRole('button', { name: 'Show more' }).click();
  }
  await many(260);
  const place = () => list.nth(230).evaluate((row) => [row.querySelector('a[href^="#"]') === document.activeElement, Math.round(row.getBoundingClientRect().y)]);
  const leave = async () => {
    await list.nth(230).getByRole('link', { name: 'long.csv' }).click();
    await page.locator('.sum').waitFor();
    assert.equal(await page.getByRole('navigation').getByRole('link', { name: 'Records' }).getAttribute('aria-current'), 'page');
  };
  await list.nth(228).scrollIntoViewIfNeeded();
  await list.nth(230).getByRole('link', { name: 'long.csv' }).focus();
  const before = await place();
  await leave();
  await page.goBack();
  await many(260);
  await page.waitForFunction(() => document.activeElement.closest('tbody'));
  assert.deepEqual(await place(), before);
  await leave();
  await page.locator('.back').getByRole('link', { name: 'Records' }).click();
  await many(260);
  await page.waitForFunction(() => document.activeElement.closest('tbody'));
  assert.deepEqual(await place(), before);
  // By the bar it is the beginning.
  await page.getByRole('navigation').getByRole('link', { name: 'Uploads' }).click();
  await page.getByRole('heading', { name: 'Your uploads' }).waitFor();
  await page.getByRole('navigation').getByRole('link', { name: 'Records' }).click();
  await many(100);
  assert.equal(await focused(page), 'Records');
  // Who comes to a job from the uploads goes back there.
  await page.getByRole('navigation').getByRole('link', { name: 'Uploads' }).click();
  await report(page).click();
  await page.locator('.back').getByRole('link', { name: 'Uploads' }).waitFor();
});
