// Every state that people can see, and how to come to it.

import { choose as chooseFile, chosen, settled } from './browser.js';
import * as f from './fake.js';

/** Signed in as maria, with these answers in place of the server's. */
const at = (path, answers = {}, then) => ({
  signedIn: true,
  async reach(page, { office }) {
    await f.fake(page, { 'POST /api/files/preview': f.easy(), 'GET /api/files/processing-status': f.status(), 'GET /api/files': { success: true, files: f.files(), next_cursor: null }, ...answers });
    await page.goto(`${office.url}/${path}`);
    await page.getByRole('navigation', { name: 'Main' }).waitFor();
    await settled(page);
    await then?.(page);
  },
});
const missing = { type: 'missing-label', row: null, field: 'linkedin_url', column: null, cell: null, value: null, message: 'LinkedIn_URL is needed and no column was matched to it.' };
const csv = { name: 'clients-nov.csv', mimeType: 'text/csv', buffer: Buffer.from('Company Name,LinkedIn_URL\nACME,https://www.linkedin.com/company/acme\n') };
const choose = (page, file = csv) => chooseFile(page, file);
const look = (page, file = csv) => chosen(page, file);
const jobAt = (status, queue, more = {}, then = (page) => page.locator('.uploads .active').waitFor()) => at('', { 'GET /api/files/processing-status': f.status(status, queue), 'GET /api/files': { success: true, next_cursor: null, files: f.files().map((one) => (one.id === 'f-42' ? { ...one, last_job: { ...one.last_job, counts: null, ...status } } : one)) }, ...more }, then);
/** A job seen at work that has ended meanwhile. */
const ending = (end, more = {}) => at('', {
  'GET /api/files/processing-status': (() => { let n = 0; return () => { n += 1; return f.status(n === 1 ? f.working('saving', 4000, 4812, 95) : n === 2 ? end : end); }; })(),
  'GET /api/files': (() => { let n = 0; return () => { n += 1; return { success: true, next_cursor: null, files: f.files().map((one) => (one.id === 'f-42' ? { ...one, last_job: { ...one.last_job, counts: null, ...(n === 1 ? f.working('saving', 4000, 4812, 95) : { ...end, ...more }) } } : one)) }; }; })(),
}, (page) => page.locator('.uploads .busy').waitFor({ state: 'detached' }));

/** A browser does not tell a page how an upload goes that is answered by a test; this does it instead. */
const sendingAt = (tell, words) => at('', {}, async (page) => {
  await look(page);
  await page.evaluate(`XMLHttpRequest.prototype.send = function () { setTimeout(() => (${tell})(this), 50); }; 0`);
  await page.getByRole('button', { name: 'Upload & Process Now' }).click();
  await page.getByText(words).first().waitFor();
});

export const STATES = {
  'setup': { reach: async (page, { empty }) => { await page.goto(`${empty.url}/#setup=${empty.code}`); await page.getByLabel('Setup code').waitFor(); } },
  // Without the link, too: nobody is there who could sign in.
  'setup-first': { reach: async (page, { empty }) => { await page.goto(empty.url); await page.getByLabel('Setup code').waitFor(); } },
  'setup-wrong': {
    reach: async (page, { empty }) => {
      await page.goto(`${empty.url}/#setup=AAAA-BBBB-CCCC`);
      await page.getByLabel('Name', { exact: true }).fill('maria');
      await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
      await page.getByLabel('Password again').fill('correct horse battery');
      await page.getByRole('button', { name: 'Make the account' }).click();
      await page.locator('.note.bad').waitFor();
    },
  },
  'sign-in': { reach: async (page, { office }) => { await page.goto(office.url); await page.getByLabel('Name', { exact: true }).waitFor(); } },
  'sign-in-wrong': { reach: async (page, { office, signIn }) => { await page.goto(office.url); await signIn(page, 'maria', 'wrong wrong wrong'); await page.locator('.note.bad').waitFor(); } },
  'sign-in-slow': {
    reach: async (page, { office, signIn }) => {
      await f.fake(page, { 'POST /api/auth/login': f.problem('too-many-attempts', 429, 'Too many tries. Wait 30 seconds.', { retry_after: 30 }) });
      await page.goto(office.url); await signIn(page, 'maria'); await page.locator('.note.bad').waitFor();
    },
  },
  'uploads-empty': at('', { 'GET /api/auth/session': () => ({ ...f.session(), user_info: { ...f.session().user_info, role: 'member' } }), 'GET /api/files': { success: true, files: [], next_cursor: null } }),
  'uploads-welcome': at('', { 'GET /api/files': { success: true, files: [], next_cursor: null } }, (page) => page.getByText('Your office can start').first().waitFor()),
  'uploads': at(''),
  'uploads-menu': at('', {}, (page) => page.getByRole('button', { name: 'More for partners.csv' }).click()),
  'uploads-all': at('', { }, (page) => page.getByLabel('Whose uploads').selectOption('1')),
  'uploads-delete': at('', {}, async (page) => { await page.getByRole('button', { name: 'More for partners.csv' }).click(); await page.getByRole('button', { name: /^Delete/ }).click(); }),
  'uploads-none-such': at('', { 'GET /api/files': (request) => ({ success: true, files: /q=zzz/.test(request.url()) ? [] : f.files(), next_cursor: null }) }, async (page) => { await page.getByLabel('Search by file name').fill('zzz'); await page.getByText('No upload fits this search.').first().waitFor(); }),
  'chosen-templates': at('', { 'GET /api/templates': f.templates(), 'POST /api/files/preview': f.easy() }, async (page) => { await look(page); await page.getByRole('button', { name: 'Get a template' }).click(); }),
  'chosen-one-column': at('', { 'POST /api/files/preview': () => ({ ...f.easy(), encoding: 'utf-8', delimiter: ',', mapping: [{ column: 'Company Name;LinkedIn_URL', field: null, how: 'none' }], missing: ['company_name'], rows: [{ 'Company Name;LinkedIn_URL': 'ACME;acme' }] }) }, async (page) => { await choose(page); await page.getByText('Only one column was found').first().waitFor(); }),
  'process-stored': at('', { 'GET /api/templates': f.templates(), 'POST /api/files/f-40/preview': f.preview() }, async (page) => { await page.getByRole('button', { name: 'Process fair-leads.csv' }).click(); await page.getByRole('button', { name: 'Process now' }).waitFor(); }),
  'process-again-dates': at('', { 'POST /api/files/f-41/preview': () => ({ ...f.easy(), dates: f.dates() }) }, async (page) => { await page.getByRole('button', { name: 'More for partners.csv' }).click(); await page.getByRole('button', { name: 'Process again…' }).click(); await page.getByText('03/08/2024 in D2').first().waitFor(); }),
  'chosen-dates': at('', { 'POST /api/files/preview': () => ({ ...f.easy(), dates: f.dates() }) }, async (page) => { await choose(page); await page.getByText('03/08/2024 in D2').first().waitFor(); }),
  'chosen-same': at('', { 'POST /api/files/preview': () => ({ ...f.easy(), same_file: f.files()[1] }) }, async (page) => { await choose(page); await page.getByText('You added this same file before').first().waitFor(); }),
  'chosen-missing': at('', { 'POST /api/files/preview': () => ({ ...f.preview(), missing: ['company_name', 'linkedin_url'] }) }, async (page) => { await choose(page); await page.getByText('Column of “LinkedIn_URL”').first().waitFor(); }),
  'chosen-wrong-row': at('', { 'POST /api/files/preview': (request) => (/9999/.test(request.postData()) ? f.problem('bad-request', 400, 'Row 9,999 cannot be the header: the sheet ends before it.') : f.preview()) }, async (page) => {
    await look(page);
    await page.getByLabel('Headers are in row').fill('9999'); await page.keyboard.press('Tab'); await page.locator('.note.bad').waitFor();
  }),
  'chosen-looking': at('', { 'POST /api/files/preview': 'never' }, async (page) => { await choose(page); await page.getByText('Looking into the file').waitFor(); }),
  'chosen-easy': at('', { 'POST /api/files/preview': f.easy() }, (page) => look(page)),
  'chosen-preview': at('', { 'POST /api/files/preview': f.preview() }, (page) => look(page, { ...csv, name: 'clients-nov.xlsx' })),
  'chosen-preview-open': at('', { 'POST /api/files/preview': f.preview() }, async (page) => {
    await look(page);
    await page.evaluate(() => { for (const details of document.querySelectorAll('main details')) details.open = true; });
  }),
  'chosen-password': at('', { 'POST /api/files/preview': f.problem('password-protected', 422, 'The file is protected with a password.') }, async (page) => { await choose(page); await page.locator('.note.bad').waitFor(); }),
  'refused-folder': at('', {}, async (page) => { await choose(page, { ...csv, buffer: Buffer.alloc(0) }); await page.locator('.note.bad').waitFor(); }),
  'chosen-repair': at('', { 'POST /api/files/preview': () => ({ ...f.easy(), repairs: { job_id: 42, filename: 'clients-nov.xlsx' } }) }, (page) => look(page, { ...csv, name: 'clients-nov.to-fix.xlsx' })),
  'sending': sendingAt((request) => request.upload.onprogress({ loaded: 3_100_000, total: 7_400_000, lengthComputable: true }), 'of 7.1 MB'),
  'received': sendingAt((request) => request.upload.onload(), 'Received. Reading'),
  'sending-offline': at('', { 'POST /api/files/preview': f.easy(), 'POST /api/files/upload-and-process': 'offline' }, async (page) => { await choose(page); await page.getByRole('button', { name: 'Upload & Process Now' }).click(); await page.locator('.note.bad').waitFor(); }),
  'too-large-proxy': at('', { 'POST /api/files/upload-json': { http: 413, body: 'nginx', headers: { 'Content-Type': 'text/html' } } }, async (page) => { await choose(page); await page.getByRole('button', { name: 'Upload as JSON' }).click(); await page.locator('.note.bad').getByText('something between you and the server limits its size').waitFor(); }),
  'stored': at('', { 'POST /api/files/upload-json': { http: 201, body: { success: true, file_upload_id: 'f-40', filename: 'fair-leads.csv', status: 'stored', rows: 310, columns: 3, sheets: [{ name: null, rows: 310, columns: 3 }], duplicate_of: null } } }, async (page) => { await choose(page); await page.getByRole('button', { name: 'Upload as JSON' }).click(); await page.locator('.panel').waitFor({ state: 'detached' }); }),
  'busy-409': at('', { 'POST /api/files/preview': f.easy(), 'POST /api/files/upload-and-process': f.problem('job-in-progress', 409, 'You already have a job in progress', { job: { ...f.job({ filename: 'partners.csv' }), queue_position: 2 } }) }, async (page) => { await choose(page); await page.getByRole('button', { name: 'Upload & Process Now' }).click(); await page.locator('.note.bad').waitFor(); }),
  'busy-noted': at('', { 'POST /api/files/preview': f.easy(), 'GET /api/files/processing-status': f.status(f.working('validating', 3000, 4812, 61)) }, (page) => look(page)),
  'waiting': jobAt(f.job(), { queue_position: 2, total_active_jobs: 3, estimated_wait_seconds: 40 }),
  'waiting-paused': jobAt(f.job(), { queue_position: 2, total_active_jobs: 3, estimated_wait_seconds: 40, paused: f.pause() }),
  'working-reading': jobAt(f.working('reading', 0, null, 0)),
  'working': jobAt(f.working('validating', 3000, 4812, 61)),
  'working-again': jobAt(f.working('validating', 30, 4812, 1, { begins_again: 'The server was restarted; the file starts again from the beginning.' })),
  'working-offline': at('', {
    'GET /api/files/processing-status': (() => { let n = 0; return () => { n += 1; return n === 1 ? f.status(f.working('validating', 3000, 4812, 61)) : 'offline'; }; })(),
    'GET /api/files': { success: true, next_cursor: null, files: f.files().map((one) => (one.id === 'f-42' ? { ...one, last_job: { ...one.last_job, counts: null, ...f.working('validating', 3000, 4812, 61) } } : one)) },
  }, (page) => page.getByText('before the connection broke').waitFor()),
  'stopping': jobAt(f.working('saving', 3000, 4812, 95, { cancel_requested: true }), {}, {}, (page) => page.locator('.uploads').getByText('Stopping').first().waitFor()),
  'done': ending(f.ended('completed'), { counts: { rows: 940, valid: 940, invalid: 0, duplicates: 0, updated: 0 } }),
  'done-problems': ending(f.ended('completed'), { counts: { rows: 4812, valid: 4702, updated: 58, duplicates: 15, invalid: 37 } }),
  'failed': ending(f.ended('failed', { error: { code: 'unreadable-file', message: 'The file is damaged and cannot be read. Open it in Excel, save it under a new name, and add that.' } })),
  'failed-server': ending(f.ended('failed', { error: { code: 'abandoned', message: 'The server stopped three times while it worked on this file. Nothing was stored.' } })),
  'failed-columns': ending(f.ended('failed', { error: { code: 'missing-columns', message: 'LinkedIn_URL is needed and no column was matched to it.' } })),
  'timeout': ending(f.ended('timeout', { error: { code: 'timeout', message: 'The work took longer than 30 minutes and was stopped. Nothing was stored.' } })),
  'cancelled': ending(f.ended('cancelled')),
  'report': at('#/job/42', { 'GET /api/jobs/42': f.done(), 'GET /api/jobs/42/report': f.report(), 'GET /api/jobs/42/changes': f.changes() }),
  'report-open': at('#/job/42', { 'GET /api/jobs/42': f.done(), 'GET /api/jobs/42/report': f.report(), 'GET /api/jobs/42/changes': f.changes() }, async (page) => {
    await page.evaluate(() => { for (const details of document.querySelectorAll('main details')) details.open = true; });
    await page.getByText('acme.example').first().waitFor();
  }),
  'report-dates': at('#/job/42', { 'GET /api/jobs/42': f.done(), 'GET /api/jobs/42/report': () => ({ ...f.report(), dates: f.dates() }), 'GET /api/jobs/42/changes': f.changes() }),
  'report-clean': at('#/job/42', { 'GET /api/jobs/42': f.whole(f.ended('completed'), { counts: { rows: 3, valid: 3, invalid: 0, duplicates: 0, updated: 0 } }), 'GET /api/jobs/42/report': () => ({ ...f.report(), valid: true, errors: [], problems: [], errors_total: 0, errors_by_type: {}, stats: { rows: 3, valid: 3, invalid: 0, duplicates: 0, updated: 0, errors: 0, seconds: 0.1 } }), 'GET /api/jobs/42/changes': { success: true, changes: [], total: 0, next_cursor: null } }),
  'report-columns': at('#/job/42', { 'GET /api/jobs/42': f.whole(f.ended('failed', { error: { code: 'missing-columns', message: 'LinkedIn_URL is needed and no column was matched to it.' } })), 'GET /api/jobs/42/report': () => ({ ...f.report(), errors: [missing], problems: f.kinds([missing]), errors_total: 1, errors_by_type: { 'missing-label': 1 }, stats: { rows: 0, valid: 0, invalid: 0, duplicates: 0, updated: 0, errors: 1, seconds: 0.1 } }) }),
  'report-failed': at('#/job/42', { 'GET /api/jobs/42': f.whole(f.ended('failed', { error: { code: 'unreadable-file', message: 'The file is damaged and cannot be read.' } })) }),
  'report-working': at('#/job/42', { 'GET /api/files/processing-status': f.status(f.working('validating', 3000, 4812, 61)), 'GET /api/jobs/42': f.whole(f.working('validating', 3000, 4812, 61)) }),
  'report-gone': at('#/job/9999'),
  'report-undo': at('#/job/42', { 'GET /api/jobs/42': f.done(), 'GET /api/jobs/42/report': f.report(), 'GET /api/jobs/42/changes': f.changes() }, (page) => page.getByRole('button', { name: /^Undo/ }).click()),
  'file': at('#/file/f-42', { 'GET /api/files/f-42': { success: true, file: { ...f.files()[0], columns: 5, sheets: f.preview().sheets, encoding: null, delimiter: null, duplicate_of: null } }, 'GET /api/files/f-42/json': { http: 200, body: f.preview().rows[0] } }),
  'records': at('#/records', { 'GET /api/records': f.records() }),
  'records-empty': at('#/records', { 'GET /api/records': { success: true, records: [], next_cursor: null } }),
  'profile': at('#/profile'),
  'profile-mappings': at('#/profile', { 'GET /api/mappings': f.mappings() }, (page) => page.getByText('Firma → ').first().waitFor()),
  'profile-token': at('#/profile', {}, async (page) => { await page.getByRole('button', { name: 'Make a token' }).click(); await page.getByLabel('Name').fill('nightly'); await page.getByRole('button', { name: 'Make it' }).click(); await page.locator('.secret').last().waitFor(); }),
  'users': at('#/users', { 'GET /api/users': f.users() }),
  'users-change': at('#/users', { 'GET /api/users': f.users() }, (page) => page.getByRole('button', { name: 'Change anna' }).click()),
  'users-delete': at('#/users', { 'GET /api/users': f.users(), 'DELETE /api/users/2': f.problem('has-uploads', 409, 'anna has uploads.') }, async (page) => { await page.getByRole('button', { name: 'Delete anna' }).click(); await page.getByRole('button', { name: 'Delete anna', exact: true }).last().click(); await page.getByLabel('Hand them over to').waitFor(); }),
  'server': at('#/server', { 'GET /api/admin/figures': f.figures() }),
  'server-fresh': at('#/server', { 'GET /api/admin/figures': () => ({ ...f.figures(), last_backup: null }) }),
  'server-templates': at('#/server', { 'GET /api/templates': f.templates() }, (page) => page.getByRole('button', { name: 'Delete Suppliers' }).waitFor()),
  'server-ill': at('#/server', { 'GET /api/health': { http: 503, body: { status: 'disk-full', version: '1.0.0', uptime_seconds: 86400 * 3, scheduler_running: true, queue: { pending: 4, processing: 1, paused: true }, setup_needed: false, database_writable: false, disk_free_bytes: 1_300_000, worker: { running: false, silent_seconds: 4000 } } } }),
  'audit': at('#/audit'),
  'own-password': {
    reach: async (page, { office, signIn }) => {
      await f.fake(page, { 'POST /api/auth/login': { success: true, user_info: { id: 9, username: 'otto', role: 'member', permissions: [], must_change: true } } });
      await page.goto(office.url); await signIn(page, 'otto'); await page.getByLabel('Current password').waitFor();
    },
  },
  'users-add': at('#/users', { 'GET /api/users': f.users() }, async (page) => { await page.getByRole('button', { name: 'Add a user' }).click(); await page.getByLabel('Name', { exact: true }).fill('anna'); await page.getByLabel('First password').fill('short'); await page.getByRole('button', { name: 'Add the user' }).click(); await page.locator('dialog .note').waitFor(); }),
  'queue': at('#/queue', { 'GET /api/admin/queue': f.queue() }),
  'queue-paused': at('#/queue', { 'GET /api/admin/queue': f.queue(f.pause()) }),
  'queue-empty': at('#/queue', { 'GET /api/admin/queue': { success: true, jobs: [], next_cursor: null, paused: null } }),
  'offline': at('', { 'GET /api/files/processing-status': (() => { let n = 0; return () => { n += 1; return n === 1 ? f.status() : 'offline'; }; })() }, (page) => page.locator('#offline').waitFor()),
  'signed-out': at('', { 'POST /api/files/preview': f.easy(), 'GET /api/auth/session': (() => { let n = 0; return () => { n += 1; return n === 1 ? f.session() : f.problem('session-expired', 401, 'Your session has ended.'); }; })() }, async (page) => { await choose(page); await page.getByRole('button', { name: 'Upload & Process Now' }).click(); await page.getByRole('dialog').waitFor(); }),
  'nothing-here': at('#/nowhere'),
  'print': at('#/job/42', { 'GET /api/jobs/42': f.done(), 'GET /api/jobs/42/report': f.report(), 'GET /api/jobs/42/changes': f.changes() }, (page) => page.emulateMedia({ media: 'print' })),
};
