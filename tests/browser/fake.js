// Answers of a server in states that a real one is in for moments only, or after days.
// Each is shaped as the contract has it; what is not listed here goes to the real server.

const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();

const idle = { status: 'idle', job_id: null, file_upload_id: null, filename: null, operation: null, queued: null, started: null, finished: null, progress: null, error: null };
const quiet = { total_active_jobs: 0, user_has_active_job: false, queue_position: null, estimated_wait_seconds: null, paused: null };

/** A job's members, as the status tells them. */
export const job = (more = {}) => ({ ...idle, status: 'pending', job_id: 42, file_upload_id: 'f-42', filename: 'clients-nov.xlsx', operation: 'upload_and_process', queued: ago(70), ...more });
export const working = (phase, done, total, percent, more = {}) => job({ status: 'processing', started: ago(5), progress: { phase, rows_done: done, rows_total: total, percent }, ...more });
export const ended = (status, more = {}) => job({ status, started: ago(65), finished: ago(61.8), ...more });
export const session = () => ({ success: true, user_info: { id: 1, username: 'maria', email: null, role: 'admin', permissions: [], must_change: false } });
export const status = (processing_status = idle, queue = {}) => ({
  success: true, username: 'maria', processing_status,
  queue_info: { ...quiet, ...(['pending', 'processing'].includes(processing_status.status) ? { user_has_active_job: true, total_active_jobs: 1, queue_position: processing_status.status === 'pending' ? 1 : 0, estimated_wait_seconds: 3 } : {}), ...queue },
});

const counts = { rows: 4812, valid: 4702, updated: 58, duplicates: 15, invalid: 37 };
const line = (one, more = {}) => ({ id: one.job_id, username: 'maria', attempt: 1, template: 'companies', template_version: 1, on_duplicate: 'skip', cancel_requested: false, undone: null, undone_by: null, file_deleted: false, counts: null, ...one, ...more });
const file = (id, filename, rows, seconds, last_job, more = {}) => ({ id, filename, size: 1_361_203, sha256: 'a1'.repeat(32), format: filename.split('.').pop(), uploaded_by: 'maria', uploaded_at: ago(seconds), rows, status: 'stored', last_job, ...more });

const failed = (code, message) => ended('failed', { error: { code, message } });
/** One upload for each state that a row can be in. */
export const files = () => [
  file('f-42', 'clients-nov.xlsx', 4812, 70, line(ended('completed', { job_id: 42 }), { counts })),
  file('f-41', 'partners.csv', 940, 3600 * 4, line(ended('completed', { job_id: 41, file_upload_id: 'f-41', filename: 'partners.csv' }), { counts: { rows: 940, valid: 940, invalid: 0, duplicates: 0, updated: 0 } })),
  file('f-40', 'fair-leads.csv', 310, 3600 * 30, null),
  file('f-39', 'hr.xlsx', null, 86400 * 3, line(failed('password-protected', 'The file is protected with a password. Remove the password in Excel (File › Info › Protect Workbook) and add it again.'), { job_id: 39 })),
  file('f-38', 'contacts without needed columns.xlsx', 120, 86400 * 9, line(failed('missing-columns', 'LinkedIn_URL is needed and no column was matched to it.'), { job_id: 38 })),
  file('f-37', 'a file with a really long name that somebody gave it on a Friday afternoon (final, version 3).xlsx', 200000, 86400 * 12, line(ended('cancelled', { detail: 'Cancelled by maria.', finished: ago(86400 * 12) }), { job_id: 37 })),
  file('f-36', 'huge.xlsx', 1_048_576, 86400 * 400, line(ended('timeout', { error: { code: 'timeout', message: 'The work took longer than 30 minutes and was stopped. Nothing was stored.' } }), { job_id: 36 })),
  file('f-35', 'undone.ods', 5, 86400 * 400, line(ended('completed'), { job_id: 35, counts: { rows: 5, valid: 5, invalid: 0, duplicates: 0, updated: 0 }, undone: ago(3600), undone_by: 'maria' })),
];

const events = [
  { at: ago(70), from: null, to: 'pending', attempt: 0, detail: null },
  { at: ago(65), from: 'pending', to: 'processing', attempt: 1, detail: null },
  { at: ago(61.8), from: 'processing', to: 'completed', attempt: 1, detail: null },
];
export const whole = (one, more = {}) => ({ success: true, job: { ...line(one, more), queue_position: null, last_sign_of_life: ago(1), events, ...more } });
export const done = () => whole(ended('completed'), { counts });

const error = (type, row, field, column, value, message, more = {}) => ({ type, row, field, column, cell: `${column}${row}`, value, message, ...more });
const listed = [
  ...Array.from({ length: 21 }, (_, i) => error('type-error', 17 + 12 * i, 'website_url', 'C', `www,example${i}.de`, `'www,example${i}.de' is not a web address. One begins with https://.`)),
  ...Array.from({ length: 9 }, (_, i) => error('constraint-error', 52 + 31 * i, 'linkedin_url', 'B', null, 'LinkedIn_URL is empty.')),
  ...Array.from({ length: 7 }, (_, i) => error('constraint-error', 60 + 50 * i, 'company_name', 'A', '', 'Company Name is empty.')),
  ...Array.from({ length: 15 }, (_, i) => error('duplicate-record', 900 + i, 'linkedin_url', 'B', `https://www.linkedin.com/company/${i}`, 'Already stored from partners.csv, row 40.', { stored: { record_id: 7 + i, file: 'partners.csv', row: 40 + i } })),
].sort((a, b) => a.row - b.row);
/** How often each occurs. */
export const kinds = (errors) => [...new Map(errors.map((e) => [e.type + e.field, e])).values()].map((e) => ({ ...e, count: errors.filter((one) => one.type === e.type && one.field === e.field).length }));
const column = (name, type, filled, distinct, min, max, top) => ({ name, type, filled, distinct, min, max, top: top.map(([value, count]) => ({ value, count })) });
export const report = () => ({
  valid: false,
  stats: { ...counts, errors: listed.length, seconds: 3.2 },
  template: { name: 'companies', version: 1 },
  mapping: [
    { column: 'Firma', letter: 'A', field: 'company_name', how: 'alias' }, { column: 'LinkedIn_URL', letter: 'B', field: 'linkedin_url', how: 'exact' },
    { column: 'Web-Site', letter: 'C', field: 'website_url', how: 'exact' }, { column: 'Compny Size', letter: 'D', field: 'company_size', how: 'fuzzy' }, { column: 'Bemerkung', letter: 'E', field: null, how: 'none' },
  ],
  columns: [
    column('company_name', 'string', 4805, 4790, 'ACME', 'Zylinder AG', [['ACME', 3], ['Müller & Söhne GmbH', 2]]), column('linkedin_url', 'string', 4803, 4780, null, null, []),
    column('website_url', 'string', 3992, 3980, null, null, []), column('company_size', 'any', 1973, 12, 1, 9000, [['11-50', 800], ['1-10', 400]]), column('industry', 'string', 0, 0, null, null, []), column('revenue', 'any', 0, 0, null, null, []),
  ],
  errors_by_type: { 'type-error': 21, 'constraint-error': 16, 'duplicate-record': 15 }, errors_total: listed.length, errors: listed, problems: kinds(listed), hash: 'c0ffee'.repeat(10),
});
/** Dates of which nothing in the file tells how they are meant. */
export const dates = () => [{ field: 'industry', order: 'undecided', evidence: [], ambiguous: 3, example: { cell: 'D2', value: '03/08/2024', 'day-month': '2024-08-03', 'month-day': '2024-03-08' } }];
export const changes = () => ({
  success: true, next_cursor: null, total: 2,
  changes: [{ cell: 'A17', original: '  ACME  ', stored: 'ACME', rule: 'trim' }, { cell: 'C18', original: 'acme.example', stored: 'https://acme.example', rule: 'url' }],
});
export const records = () => ({
  success: true, next_cursor: '40',
  records: Array.from({ length: 12 }, (_, i) => ({ id: 100 - i, file: i % 3 ? 'clients-nov.xlsx' : 'partners.csv', row: 12 + i, uploader: 'maria', job_id: 42, data: { company_name: `Müller & Söhne ${i} GmbH`, linkedin_url: `https://www.linkedin.com/company/mueller-${i}`, website_url: i % 4 ? `https://mueller-${i}.example` : null, company_size: i % 2 ? '11-50' : 1200, industry: 'Machinery', revenue: null } })),
});
const rows = Array.from({ length: 20 }, (_, i) => ({ Firma: `Müller & Söhne ${i} GmbH`, LinkedIn_URL: `https://www.linkedin.com/company/mueller-${i}`, 'Web-Site': `mueller-${i}.example`, 'Compny Size': i % 2 ? '11-50' : null, Bemerkung: 'ruft zurück' }));
export const preview = () => ({
  success: true, same_file: null, dates: [], sheet: 'Customers',
  sheets: [{ name: 'Customers', rows: 4812, columns: 5, visibility: 'visible', header_row: 3 }, { name: 'Summary', rows: 0, columns: 0, visibility: 'visible', header_row: null }, { name: 'Lists', rows: 12, columns: 1, visibility: 'hidden', header_row: 1 }],
  header_row: 3, mapping: report().mapping, missing: ['industry'], rows,
  notices: [{ code: 'empty-rows', cell: null, message: '2 empty rows are left out.' }, { code: 'excel-digits', cell: 'D12', message: 'Excel keeps only 15 digits; the last ones may be wrong in your file.' }],
});
export const easy = () => ({
  success: true, same_file: null, dates: [], sheet: 'Sheet1', sheets: [{ name: 'Sheet1', rows: 310, columns: 3, visibility: 'visible', header_row: 1 }], header_row: 1, missing: [], notices: [],
  mapping: [{ column: 'Company Name', field: 'company_name', how: 'exact' }, { column: 'LinkedIn_URL', field: 'linkedin_url', how: 'exact' }, { column: 'Industry', field: 'industry', how: 'exact' }],
  rows: [{ 'Company Name': 'ACME', LinkedIn_URL: 'https://www.linkedin.com/company/acme', Industry: 'Anvils' }],
});
export const users = () => ({
  success: true, next_cursor: null,
  users: [
    { id: 1, username: 'maria', email: 'maria@example.org', role: 'admin', permissions: [], disabled: false, created_at: ago(86400 * 30) },
    { id: 2, username: 'anna', email: null, role: 'member', permissions: [], disabled: false, created_at: ago(86400 * 3) },
    { id: 3, username: 'somebody-with-a-very-long-name', email: 'somebody.with.a.very.long.address@department.example.org', role: 'member', permissions: [], disabled: true, created_at: ago(86400 * 2) },
  ],
});
export const queue = (paused = null) => ({
  success: true, next_cursor: null, paused,
  jobs: [
    { ...line(working('validating', 3000, 4812, 61)), queue_position: 0 },
    { ...line(job({ job_id: 43, filename: 'partners.csv' }), { username: 'anna' }), queue_position: 1 },
    { ...line(job({ job_id: 44, filename: 'old-list.xls' }), { username: 'somebody-with-a-very-long-name' }), queue_position: 2 },
  ],
});
const template = (name, title, built_in, fields) => ({ name, title, version: built_in ? 1 : 3, built_in, schema: { fields: fields.map((field) => ({ name: field.toLowerCase().replace(/ /g, '_'), title: field })) } });
export const templates = () => ({ success: true, next_cursor: null, templates: [template('companies', null, true, ['Company Name', 'LinkedIn_URL', 'Website_URL', 'Company_Size', 'Industry', 'Revenue']), template('suppliers', 'Suppliers', false, ['Supplier', 'VAT number'])] });
export const mappings = () => ({
  success: true, next_cursor: null,
  mappings: [
    { id: 2, template: 'companies', headers: ['Firma', 'Profil', 'Interner Vermerk'], mapping: { Firma: 'company_name', Profil: 'linkedin_url', 'Interner Vermerk': null }, created_at: ago(3600), created_by: 'maria' },
    { id: 1, template: 'suppliers', headers: ['Lieferant'], mapping: { Lieferant: 'supplier' }, created_at: ago(86400 * 4), created_by: 'anna' },
  ],
});
export const figures = () => {
  const begin = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  const hours = Array.from({ length: 24 }, (_, i) => ({ from: new Date(begin - (23 - i) * 3_600_000).toISOString(), completed: [0, 0, 0, 0, 0, 2, 9, 14, 11, 6, 3, 8, 12, 10, 4, 1, 0, 0, 0, 0, 0, 0, 0, 5][i], other: i % 7 === 0 ? 1 : 0, rows: 4000, wait_seconds: i > 4 && i < 16 ? (i * 7) % 12 : null }));
  return { success: true, hours, day: { completed: 85, other: 4, rows: 128_400, wait_seconds: 3.4 }, last_backup: ago(7200) };
};
export const pause = () => ({ since: ago(600), by: 'maria', reason: 'Moving the server at noon; back at 12:30.' });
export const problem = (code, http, detail, more = {}) => ({ http, body: { success: false, type: `https://sheetline.invalid/problems/${code}`, title: code, status: http, code, detail, ...more } });

/**
 * Puts answers before the real ones: {'GET /api/files': body | () => body | {http, body}}. `*` in a path stands for one segment.
 */
export async function fake(page, answers) {
  const shape = (path) => new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\*/g, '[^/]+')}$`);
  const known = Object.entries(answers).map(([key, answer]) => { const [method, path] = key.split(' '); return { method, path: shape(path), answer }; });
  await page.route('**/api/**', async (route) => {
    const request = route.request();
    const { pathname } = new URL(request.url());
    const hit = known.find((k) => k.method === request.method() && k.path.test(pathname));
    if (!hit) { await route.continue(); return; }
    const value = typeof hit.answer === 'function' ? await hit.answer(request) : hit.answer;
    if (value === 'offline') { await route.abort('connectionrefused'); return; }
    if (value === 'never') return; // the answer stays out
    const { http = 200, body, headers = {} } = value && value.http ? value : { body: value };
    await route.fulfill({ status: http, headers: { 'Content-Type': http >= 400 ? 'application/problem+json' : 'application/json', ...headers }, body: JSON.stringify(body) });
  });
}
