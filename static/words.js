// The words for states, errors, numbers and times. Codes are those of problem+json.

import { h } from './dom.js';

const LOCALE = 'en-GB';
export const curly = (words = '') => words.replace(/"([^"]*)"|(?<![^\s(])'(.+?)'(?=[\s.,;:?!)]|$)/g, (_, a = '', b = '') => `“${a}${b}”`).replace(/(\w)'([ts])\b/g, '$1’$2');
const grouped = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 15 }).format;

export const num = (n) => (typeof n === 'number' ? grouped(n) : '–');
export const count = (n, one) => `${num(n)} ${one}${n === 1 ? '' : 's'}`;
export const dots = (...parts) => parts.filter(Boolean).join(' · ');

export function bytes(n) {
	if (n < 1024) return count(n, 'byte');
	const [unit, word] = n < 2 ** 20 ? [2 ** 10, 'KB'] : n < 10 * 2 ** 30 ? [2 ** 20, 'MB'] : [2 ** 30, 'GB'];
	const parts = word === 'MB' && n < 100 * unit ? 10 : 1;
	return `${num(Math.round((parts * n) / unit) / parts)} ${word}`;
}

export function duration(seconds) {
	if (typeof seconds !== 'number') return '–';
	if (seconds > 0 && seconds < .1) return 'under 0.1 s';
	if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
	const [days, hours, minutes] = [86400, 3600, 60].map((unit) => Math.floor(seconds / unit));
	if (hours < 1) return `${minutes} min ${Math.floor(seconds % 60)} s`;
	return hours < 48 ? `${hours} h ${minutes % 60} min` : `${days} days`;
}

export function about(seconds) {
	if (typeof seconds !== 'number') return '';
	if (seconds < 2) return 'a moment';
	const [unit, word] = seconds < 90 ? [1, 's'] : seconds < 5400 ? [60, 'min'] : [3600, 'h'];
	const n = seconds / unit;
	return `about ${n < 10 || unit > 1 ? Math.round(n) : Math.round(n / 5) * 5} ${word}`;
}

export const cell = (value) => {
	if (typeof value === 'boolean') return value ? 'yes' : 'no';
	return typeof value === 'object' && value ? JSON.stringify(value) : String(value ?? '') || '–';
};

// ---- Times, by the server's clock.

let skew = 0;
export function noteServerTime(date) {
	const off = Date.parse(date) - Date.now();
	if (!Number.isNaN(off)) skew = Math.abs(off) > 3000 ? off : 0;
}

function format(options) {
	const how = new Intl.DateTimeFormat(LOCALE, options);
	return (iso) => how.format(new Date(iso));
}
export const clock = format({ hour: '2-digit', minute: '2-digit' });
export const moment = format({ dateStyle: 'medium', timeStyle: 'medium' });
const exact = format({ dateStyle: 'full', timeStyle: 'long' });
export const date = format({ dateStyle: 'long', timeZone: 'UTC' }); // wherever one is

export function ago(iso) {
	const at = new Date(iso);
	const now = new Date(Date.now() + skew);
	const seconds = (now - at) / 1000;
	if (seconds >= -5 && seconds < 60) return 'just now';
	if (seconds >= 60 && seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
	const midnight = (date) => new Date(date).setHours(0, 0, 0, 0);
	const days = Math.round((midnight(now) - midnight(at)) / 86400000);
	if (days === 0) return clock(at);
	if (days === 1) return 'yesterday';
	return onDay(at, now);
}
const onDay = (at, now) => at.toLocaleDateString(LOCALE, { day: 'numeric', month: 'short', ...(at.getFullYear() !== now.getFullYear() && { year: 'numeric' }) });

export const time = (iso, words = ago) => h('time', { datetime: iso, title: exact(iso), 'data-ago': words === ago }, words(iso));
setInterval(() => { for (const element of document.querySelectorAll('time[data-ago]')) element.textContent = ago(element.dateTime); }, 20000);

export const isActive = (job) => job?.status === 'pending' || job?.status === 'processing';

const BADGES = {
	pending: ['calm', 'wait', 'Waiting'], processing: ['busy', 'work', 'Working'], completed: ['ok', 'done', 'Done'], cancelled: ['calm', 'ban', 'Cancelled'],
	timeout: ['bad', 'cross', 'Took too long'], failed: ['bad', 'cross', 'Stopped'],
};

// The badge of a job, or of a stored file without one.
export function stateOf(job) {
	let [tone, ico, word] = BADGES[job?.status] || ['calm', 'stored', 'Stored as JSON'];
	if (job?.undone) [tone, ico, word] = ['calm', 'back', 'Undone'];
	else if (job?.counts?.invalid) tone = 'warn';
	if (job?.cancel_requested) word = 'Stopping';
	if (isUnreadable(job)) word = 'Could not be read';
	if (job?.error?.code === 'missing-columns') word = 'Columns missing';
	return { tone, ico, word };
}
const UNREADABLE = ['unreadable-file', 'password-protected', 'unsupported-format', 'too-complex', 'empty-file', 'no-such-sheet'];
// Whether trying again can only come to the same.
export const isUnreadable = (job) => UNREADABLE.includes(job?.error?.code);

export function stage({ progress, cancel_requested: stopping }) {
	if (stopping) return 'after this batch';
	if (progress?.waiting_for) return 'waits for its turn';
	const word = { reading: 'reading', validating: 'checking rows', saving: 'saving', done: 'writing the report' }[progress?.phase] || 'starting';
	return dots(word, progress?.percent > 0 && `${progress.percent}\u00a0%`);
}

// "2 ahead · about 40 s", "Next".
export function waiting(queue) {
	if (!queue?.queue_position) return 'Waiting';
	return dots(queue.ahead > 0 ? `${num(queue.ahead)} ahead` : 'Next', queue.paused ? held(queue.paused) : about(queue.estimated_wait_seconds));
}
export const held = (pause) => `paused by ${pause.by}: ${pause.reason}`;

export function outcome(job) {
	const c = job.counts;
	if (job.status === 'cancelled') return `${job.detail?.replace(/\.$/, '') || 'Cancelled'} at ${clock(job.finished)}${/:|now|ago/.test(ago(job.finished)) ? '' : ` (${ago(job.finished)})`}. Nothing was stored.`;
	if (job.status === 'failed' || job.status === 'timeout') return curly(job.error?.message) || `The server had a problem (job ${job.job_id}). Nothing was stored.`;
	if (job.undone) return 'Taken back';
	if (!c) return '';
	const { unchanged: same = 0 } = c;
	return [[c.valid, 'stored'], [c.updated - same, 'updated'], [c.duplicates + same, 'already there'], [c.invalid, 'to fix']]
		.filter(([n], i) => n > 0 || (i === 0 && !c.updated)).map(([n, what]) => `${num(n)} ${what}`).join(', ');
}

// ---- Errors. Else the server's own sentence stands.

const SENTENCES = {
	'too-large': ({ body }, { size }) => `The file must be smaller than ${bytes(body.limit)}.${size ? ` Yours is ${bytes(size)}.` : ''}`,
	'not-found': ({ body: { deleted: gone }, detail }) => (gone ? `This upload is gone. It was deleted by ${gone.by} on ${onDay(new Date(gone.at), new Date())} at ${clock(gone.at)}.` : curly(detail)),
	'cross-origin': () => 'This page is out of date. Reload it.',
	'job-in-progress': ({ body: { job }, detail }) => (job ? `You already have a file in work: ${job.filename}, ${job.status === 'processing' ? 'being worked on' : waiting(job)}. Wait for it or cancel it.` : detail),
	'too-many-attempts': (p) => `Too many tries. Wait ${count(p.retryAfter || 30, 'second')}.`,
};
const OWN = { // no answer of Sheetline's has these
	offline: (p, at) => `No answer from the server.${still(at)}`,
	'too-large-proxy': () => 'The file did not get through: something between you and the server limits its size. Tell your administrator “upload limit, 413”.',
	'file-changed': () => 'The file changed after you chose it (still open in Excel?). Choose it again.',
	'file-gone': () => 'The file could not be read from your computer (moved, or only in the cloud). Open it once, then choose it again.',
	'slow-upload': (p, at) => `Sending took too long and stopped${at.percent ? ` at ${at.percent} %` : ''}.${still(at)}`,
};
const still = ({ file }) => (file ? ` ${file} is still chosen.` : '');

// A problem as a sentence. `at`: {file: its name, size, percent}.
export function explain(problem, at = {}) {
	if (problem?.code === undefined) return `This page ran into a mistake of its own (${problem?.message || 'unknown'}). Reload it.`;
	if (problem.signedOut) return `You were signed out. Sign in to go on.${still(at)}`;
	return { ...SENTENCES, ...OWN }[problem.code]?.(problem, at) || curly(problem.detail) || `The server refused this (${problem.status}${problem.code && `, ${problem.code}`}).`;
}

const RULES = {
	'missing-label': 'column is missing', 'type-error': 'not the right kind of value', 'constraint-error': 'against a rule of the template',
	'unique-error': 'same value twice in the file', 'primary-key': 'same key twice in the file', 'duplicate-record': 'already in the list',
};

// What errors of a kind in a field have in common.
export function ruleOf(errors, field) {
	const bare = ({ message, value }) => message.replace(/^'.*' /, '').replace(value ? `${value} ` : '', '').split(/; found|\. |\.$| \(\d/)[0];
	const [{ type }] = errors;
	const common = bare(errors[0]);
	if (isCollision(errors[0]) || errors.some((error) => bare(error) !== common)) return `${field && `${field}: `}${RULES[type] || type.replace(/-/g, ' ')}`;
	if (/^(is|must) /.test(common)) return `${field} ${common}`;
	return common.includes(field) ? common : `${field}: ${common}`;
}
// A primary key that is empty is a wrong value.
export const isCollision = (error) => ['unique-error', 'primary-key', 'duplicate-record'].includes(error.type) && !error.constraint;

const DONE = { trim: 'blanks at its ends taken off', spaces: 'blanks made one', lower: 'made small letters', url: 'https:// put before it', defused: 'apostrophe taken off', missing: 'stands for no value', boolean: 'read as yes or no' };
export const doneWord = (rules) => rules.split(', ').map((rule) => DONE[rule] || `read as ${rule}`).join(', ');
export const howWord = (how) => ({ exact: 'same name', alias: 'known name', fuzzy: 'close match', position: 'by its place', given: 'chosen', remembered: 'remembered', content: 'by what is in it' }[how] || 'not matched');
