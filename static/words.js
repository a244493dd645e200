// Every word that states, errors, numbers and times are told in. Codes are the ones of problem+json.

const LOCALE = 'en-GB';
const grouped = new Intl.NumberFormat(LOCALE);

export const num = (n) => (typeof n === 'number' ? grouped.format(n) : '–');
export const count = (n, one, many = `${one}s`) => `${num(n)} ${n === 1 ? one : many}`;
export const percent = (part, whole) => (whole ? `${Math.floor((100 * part) / whole)} %` : '–');

export function bytes(n) {
  if (typeof n !== 'number') return '–';
  if (n < 1024) return count(n, 'byte');
  if (n < 1024 * 1024) return `${Math.round(n / 1024)} KB`;
  return `${(n / 1048576).toFixed(n < 104857600 ? 1 : 0).replace(/\.0$/, '')} MB`;
}

export function duration(seconds) {
  if (typeof seconds !== 'number') return '–';
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} days`;
}

/** A wait, rounded so that it does not pretend to be exact. */
export function about(seconds) {
  if (typeof seconds !== 'number') return '';
  if (seconds < 2) return 'a moment';
  if (seconds < 10) return `about ${Math.round(seconds)} s`;
  if (seconds < 90) return `about ${Math.round(seconds / 5) * 5} s`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min`;
  return `about ${Math.round(seconds / 3600)} h`;
}

// ---- Times. "2 min ago" counts from the server's clock, not from this computer's.

let skew = 0;
export function noteServerTime(date) {
  const off = Date.parse(date) - Date.now();
  if (!Number.isNaN(off)) skew = Math.abs(off) > 3000 ? off : 0;
}
export const serverNow = () => Date.now() + skew;

const hour = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short' });
const dayYear = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric' });
const exact = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'full', timeStyle: 'long' });

export function clock(iso) {
  const at = new Date(iso);
  return Number.isNaN(+at) ? '–' : hour.format(at);
}

export function ago(iso) {
  const at = new Date(iso);
  if (!iso || Number.isNaN(+at)) return '–';
  const now = new Date(serverNow());
  const seconds = (now - at) / 1000;
  if (seconds >= -5 && seconds < 60) return 'just now';
  if (seconds >= 60 && seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  const days = Math.round((midnight - new Date(at.getFullYear(), at.getMonth(), at.getDate())) / 86400000);
  if (days === 0) return hour.format(at);
  if (days === 1) return 'yesterday';
  if (days === -1) return `tomorrow ${hour.format(at)}`;
  return (at.getFullYear() === now.getFullYear() ? day : dayYear).format(at);
}

/** A time as people say it; the exact one on hover. */
export function time(iso) {
  const element = document.createElement('time');
  element.textContent = ago(iso);
  if (iso && !Number.isNaN(Date.parse(iso))) {
    element.dateTime = iso;
    element.title = exact.format(new Date(iso));
  }
  return element;
}
setInterval(() => {
  for (const element of document.querySelectorAll('time[datetime]')) {
    const words = ago(element.dateTime);
    if (words !== element.textContent) element.textContent = words;
  }
}, 20000);

// ---- States

const UNREADABLE = new Set(['unreadable-file', 'password-protected', 'unsupported-format', 'too-complex', 'empty-file', 'no-such-sheet']);

/** The badge of a job (or of a stored file, when there is no job): {tone, ico, word}. */
export function stateOf(job) {
  if (!job || !job.status || job.status === 'stored') return { tone: 'calm', ico: 'stored', word: 'Stored as JSON' };
  switch (job.status) {
    case 'pending': return { tone: 'calm', ico: 'wait', word: 'Waiting' };
    case 'processing': return { tone: 'busy', ico: 'work', word: job.cancel_requested ? 'Stopping' : 'Working' };
    case 'completed':
      if (job.undone_at) return { tone: 'calm', ico: 'undo', word: 'Undone' };
      return job.counts?.invalid ? { tone: 'warn', ico: 'done', word: 'Done' } : { tone: 'ok', ico: 'done', word: 'Done' };
    case 'cancelled': return { tone: 'calm', ico: 'ban', word: 'Cancelled' };
    case 'timeout': return { tone: 'bad', ico: 'cross', word: 'Took too long' };
    case 'failed': {
      const code = job.error?.code;
      const word = UNREADABLE.has(code) ? 'Could not be read' : code === 'missing-columns' ? 'Columns missing' : 'Stopped';
      return { tone: 'bad', ico: 'cross', word };
    }
    default: return { tone: 'calm', ico: 'wait', word: job.status };
  }
}

export const isActive = (job) => job?.status === 'pending' || job?.status === 'processing';
export const isFinal = (job) => Boolean(job?.status) && !isActive(job) && job.status !== 'idle';

const PHASES = { reading: 'reading', validating: 'checking rows', saving: 'saving', done: 'finishing' };
export const phaseWord = (phase) => PHASES[phase] || phase || 'starting';

/** "2 ahead · about 40 s", "Next". Position 1 is the next to start; what is in work now is ahead of it. */
export function waiting(queue) {
  const position = queue?.queue_position;
  if (!position) return '';
  const ahead = Math.min(position, Math.max(0, (queue.total_active_jobs ?? position + 1) - 1));
  return [position === 1 && 'Next', ahead > 0 && `${num(ahead)} ahead`, about(queue.estimated_wait_seconds)].filter(Boolean).join(' · ');
}

/** What a finished job came to, in a few words. */
export function outcome(job) {
  const c = job.counts;
  switch (job.status) {
    case 'completed': {
      if (job.undone_at) return 'Taken out of the list again';
      if (!c) return '';
      const parts = [`${num(c.valid + (c.updated || 0))} stored`];
      if (c.duplicates) parts.push(`${num(c.duplicates)} already there`);
      if (c.invalid) parts.push(`${num(c.invalid)} to fix`);
      return parts.join(', ');
    }
    case 'cancelled': return `Cancelled${job.finished ? ` at ${clock(job.finished)}` : ''}. Nothing was stored.`;
    case 'timeout': case 'failed': return jobError(job);
    default: return '';
  }
}

/** Why a job failed, and what to do. */
export function jobError(job) {
  const { code, message } = job.error || {};
  const known = SENTENCES[code];
  if (known) return known({ detail: message, body: {} });
  return message || `The server had a problem (job ${job.job_id}). Nothing was stored.`;
}

// ---- Errors: what happened, where, what to do. Where the server knows more than the code says, its own sentence stands.

const own = (fallback) => (p) => p.detail || fallback;
const SENTENCES = {
  'no-file': () => 'Choose a file first.',
  'too-large': (p, at) => {
    const limit = p.body.limit;
    if (typeof limit !== 'number') return p.detail || 'The file is too large for this server.';
    return `The file must be smaller than ${bytes(limit)}.${at.size ? ` Yours is ${bytes(at.size)}.` : ''}`;
  },
  'too-large-proxy': () => 'The file did not get through: something between you and the server limits its size. Tell your administrator “upload limit, 413”.',
  'empty-file': own('The file is empty.'),
  'unsupported-format': own('The file must be xlsx, xls, xlsb, ods, csv, tsv or txt.'),
  'password-protected': () => 'The file is protected with a password. Remove the password in Excel (File › Info › Protect Workbook) and add it again.',
  'unreadable-file': own('The file is damaged and cannot be read. Open it in Excel, save it under a new name, and add that.'),
  'too-complex': own('The file unpacks to more than this server reads. Split it.'),
  'missing-columns': own('A column that is needed was not found in the file.'),
  'file-changed': () => 'The file changed after you chose it (still open in Excel?). Choose it again.',
  'file-gone': () => 'The file could not be read from your computer (moved, or only in the cloud). Open it once, then choose it again.',
  offline: (p, at) => `No answer from the server.${at.file ? ' Your file is still chosen.' : ''}`,
  'session-missing': () => 'Sign in to go on.',
  'session-expired': (p, at) => `You were signed out.${at.file ? ' Sign in to go on; your file is still chosen.' : ' Sign in to go on.'}`,
  'cross-origin': () => 'This page is out of date. Reload it.',
  forbidden: () => 'Only administrators can do this.',
  'job-in-progress': (p) => {
    const job = p.body.job || {};
    const where = job.status === 'processing' ? 'being worked on' : typeof job.queue_position === 'number' && job.queue_position > 0 ? `${num(job.queue_position)} ahead` : '';
    if (!job.filename) return p.detail || 'You already have a file in work. Wait for it or cancel it.';
    return `You already have a file in work: ${job.filename}${where && `, ${where}`}. Wait for it or cancel it.`;
  },
  'invalid-credentials': () => 'Name or password is wrong.',
  'too-many-attempts': (p) => `Too many tries. Wait ${count(p.retryAfter || 30, 'second')}.`,
  'weak-password': own('Use at least 10 characters.'),
  'last-admin': () => 'This is the only administrator. Make someone else one first.',
  'disk-full': () => 'The server has no room left. Nothing was stored. Tell your administrator.',
  busy: () => 'The database is busy. Try again in a moment.',
  timeout: own('The work took longer than the server allows and was stopped. Nothing was stored.'),
  abandoned: own('The server had a problem. Nothing was stored. It was tried 3 times.'),
  internal: (p) => {
    const reference = p.body.reference || '';
    return p.detail || `Something failed on the server; nothing was stored. Tell your administrator${reference ? ` the reference ${reference}` : ''}.`;
  },
};
SENTENCES['session-invalid'] = SENTENCES['session-revoked'] = SENTENCES['session-expired'];

/** A problem as a sentence. `at` may say {file: true, size} so that the sentence can speak of them. */
export function explain(problem, at = {}) {
  if (!problem || problem.code === undefined) return `This page ran into a mistake of its own (${problem?.message || 'unknown'}). Reload it.`;
  const known = SENTENCES[problem.code];
  if (known) return known(problem, at);
  return problem.detail || `The server refused this (${problem.status}${problem.code ? `, ${problem.code}` : ''}).`;
}

// ---- Report

const RULES = {
  'missing-label': 'Column is missing', 'blank-label': 'Column has no name', 'duplicate-label': 'Two columns have the same name',
  'extra-label': 'Column is in no field', 'type-error': 'Not the right kind of value', 'constraint-error': 'Against a rule of the template',
  'unique-error': 'Same value twice in the file', 'primary-key': 'Same key twice in the file', 'duplicate-record': 'Already in the list',
  'missing-cell': 'Cell is missing', 'extra-cell': 'Cell too many', 'blank-row': 'Row is empty',
};
export const ruleWord = (type) => RULES[type] || String(type).replace(/-/g, ' ').replace(/^./, (c) => c.toUpperCase());

const HOW = { exact: 'same name', alias: 'known name', fuzzy: 'close match', none: 'not matched' };
export const howWord = (how) => HOW[how] || how || 'not matched';

/** A cell's value for a table: null is a dash, objects are JSON. */
export const cell = (value) => (value === null || value === undefined || value === '' ? '–' : typeof value === 'object' ? JSON.stringify(value) : typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value));
