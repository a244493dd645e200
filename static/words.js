// The words for states, errors, numbers and times. Codes are those of problem+json.

const LOCALE = 'en-GB';
const grouped = new Intl.NumberFormat(LOCALE);

export const num = (n) => (typeof n === 'number' ? grouped.format(n) : '–');
export const count = (n, one, many = `${one}s`) => `${num(n)} ${n === 1 ? one : many}`;
export const dots = (...parts) => parts.filter(Boolean).join(' · ');

export function bytes(n) {
	if (n < 1024) return count(n, 'byte');
	if (n < 1048576) return `${Math.round(n / 1024)} KB`;
	return `${(n / 1048576).toFixed(n < 104857600 ? 1 : 0).replace(/\.0$/, '')} MB`;
}

export function duration(seconds) {
	if (typeof seconds !== 'number') return '–';
	if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
	if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
	if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
	return `${Math.floor(seconds / 86400)} days`;
}

/** A wait, rounded so that it does not pretend to be exact. */
export function about(seconds) {
	if (typeof seconds !== 'number') return '';
	if (seconds < 2) return 'a moment';
	if (seconds < 90) return `about ${seconds < 10 ? Math.round(seconds) : Math.round(seconds / 5) * 5} s`;
	if (seconds < 5400) return `about ${Math.round(seconds / 60)} min`;
	return `about ${Math.round(seconds / 3600)} h`;
}

export const cell = (value) => (value === null || value === undefined || value === '' ? '–' : typeof value === 'object' ? JSON.stringify(value) : typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value));

// ---- Times. "2 min ago" counts from the server's clock, not from this computer's.

let skew = 0;
export function noteServerTime(date) {
	const off = Date.parse(date) - Date.now();
	if (!Number.isNaN(off)) skew = Math.abs(off) > 3000 ? off : 0;
}

const format = (options) => new Intl.DateTimeFormat(LOCALE, options);
const hour = format({ hour: '2-digit', minute: '2-digit' });
const day = format({ day: 'numeric', month: 'short' });
const dayYear = format({ day: 'numeric', month: 'short', year: 'numeric' });
const exact = format({ dateStyle: 'full', timeStyle: 'long' });
export const clock = (iso) => hour.format(new Date(iso));

export function ago(iso) {
	const at = new Date(iso);
	const now = new Date(Date.now() + skew);
	const seconds = (now - at) / 1000;
	if (seconds >= -5 && seconds < 60) return 'just now';
	if (seconds >= 60 && seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
	const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
	const days = Math.round((midnight(now) - midnight(at)) / 86400000);
	if (days === 0) return hour.format(at);
	if (days === 1) return 'yesterday';
	return (at.getFullYear() === now.getFullYear() ? day : dayYear).format(at);
}

/** A time as people say it; the exact one on hover. */
export function time(iso, words = ago) {
	const element = document.createElement('time');
	element.textContent = words(iso);
	element.dateTime = iso;
	element.title = exact.format(new Date(iso));
	if (words === ago) element.dataset.ago = '';
	return element;
}
setInterval(() => {
	for (const element of document.querySelectorAll('time[data-ago]')) {
		const words = ago(element.dateTime);
		if (words !== element.textContent) element.textContent = words;
	}
}, 20000);

// ---- States

export const isActive = (job) => job?.status === 'pending' || job?.status === 'processing';

/** The badge of a job (or of a stored file, when there is no job): {tone, ico, word}. */
export function stateOf(job) {
	const of = (tone, ico, word) => ({ tone, ico, word });
	switch (job?.status) {
		case 'pending': return of('calm', 'wait', 'Waiting');
		case 'processing': return of('busy', 'work', job.cancel_requested ? 'Stopping' : 'Working');
		case 'completed': return job.undone ? of('calm', 'undo', 'Undone') : of(job.counts?.invalid ? 'warn' : 'ok', 'done', 'Done');
		case 'cancelled': return of('calm', 'ban', 'Cancelled');
		case 'timeout': return of('bad', 'cross', 'Took too long');
		case 'failed': return of('bad', 'cross', UNREADABLE.includes(job.error?.code) ? 'Could not be read' : job.error?.code === 'missing-columns' ? 'Columns missing' : 'Stopped');
		default: return of('calm', 'stored', 'Stored as JSON');
	}
}
const UNREADABLE = ['unreadable-file', 'password-protected', 'unsupported-format', 'too-complex', 'empty-file', 'no-such-sheet'];

/** As in "checking rows · 61 %". */
export function stage({ progress, cancel_requested: stopping }) {
	if (stopping) return 'after this batch';
	if (progress?.waiting_for) return 'waits for its turn';
	const word = { reading: 'reading', validating: 'checking rows', saving: 'saving', done: 'writing the report' }[progress?.phase] || 'starting';
	return dots(word, typeof progress?.percent === 'number' && `${progress.percent} %`);
}

/** "2 ahead · about 40 s", "Next". 1 starts next, after what is in work now. */
export function waiting(queue) {
	const position = queue?.queue_position;
	if (!position) return 'Waiting';
	const ahead = Math.min(position, Math.max(0, (queue.total_active_jobs ?? position + 1) - 1));
	const place = ahead > 0 ? `${num(ahead)} ahead` : 'Next';
	return queue.paused ? dots(place, held(queue.paused)) : dots(place, about(queue.estimated_wait_seconds));
}
export const held = (pause) => `paused by ${pause.by}: ${pause.reason}`;

export function outcome(job) {
	const c = job.counts;
	if (job.status === 'cancelled') return `${job.detail?.replace(/\.$/, '') || 'Cancelled'} at ${clock(job.finished)}. Nothing was stored.`;
	if (job.status === 'failed' || job.status === 'timeout') return job.error?.message || `The server had a problem (job ${job.job_id}). Nothing was stored.`;
	if (job.undone) return 'Taken out of the list again';
	if (!c) return '';
	return [`${num(c.valid + c.updated)} stored`, c.duplicates && `${num(c.duplicates)} already there`, c.invalid && `${num(c.invalid)} to fix`].filter(Boolean).join(', ');
}

// ---- Errors. The server's own sentence stands where nothing is to add.

const SENTENCES = {
	'too-large': (p, at) => (p.body?.limit ? `The file must be smaller than ${bytes(p.body.limit)}.${at.size ? ` Yours is ${bytes(at.size)}.` : ''}` : p.detail),
	'cross-origin': () => 'This page is out of date. Reload it.',
	'job-in-progress': (p) => {
		const job = p.body?.job;
		if (!job?.filename) return p.detail;
		const where = job.status === 'processing' ? ', being worked on' : job.queue_position ? `, ${waiting(job)}` : '';
		return `You already have a file in work: ${job.filename}${where}. Wait for it or cancel it.`;
	},
	'too-many-attempts': (p) => `Too many tries. Wait ${count(p.retryAfter || 30, 'second')}.`,
};
/** Told by the page itself; no answer of Sheetline's has these. */
const OWN = {
	offline: (p, at) => `No answer from the server.${at.file ? ' Your file is still chosen.' : ''}`,
	'too-large-proxy': () => 'The file did not get through: something between you and the server limits its size. Tell your administrator “upload limit, 413”.',
	'file-changed': () => 'The file changed after you chose it (still open in Excel?). Choose it again.',
	'file-gone': () => 'The file could not be read from your computer (moved, or only in the cloud). Open it once, then choose it again.',
	'slow-upload': (p, at) => `Sending took too long and stopped${at.percent ? ` at ${at.percent} %` : ''}. Your file is still chosen.`,
};

/** A problem as a sentence. `at`: what it can speak of, {file: true, size, percent}. */
export function explain(problem, at = {}) {
	if (problem?.code === undefined) return `This page ran into a mistake of its own (${problem?.message || 'unknown'}). Reload it.`;
	if (problem.signedOut) return `You were signed out. Sign in to go on${at.file ? '; your file is still chosen' : ''}.`;
	return { ...SENTENCES, ...OWN }[problem.code]?.(problem, at) || problem.detail || `The server refused this (${problem.status}${problem.code && `, ${problem.code}`}).`;
}

// ---- Report

const RULES = {
	'missing-label': 'column is missing', 'type-error': 'not the right kind of value', 'constraint-error': 'against a rule of the template',
	'unique-error': 'same value twice in the file', 'primary-key': 'same key twice in the file', 'duplicate-record': 'already in the list',
};
export const ruleWord = (type) => RULES[type] || type.replace(/-/g, ' ');
export const isCollision = (error) => ['unique-error', 'primary-key', 'duplicate-record'].includes(error.type);

export const howWord = (how) => ({ exact: 'same name', alias: 'known name', fuzzy: 'close match', position: 'by its place', given: 'chosen', remembered: 'remembered', content: 'by what is in it' }[how] || 'not matched');
