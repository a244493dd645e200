// Jobs: what the user's newest does, by long polling; what can be done with one.

import { call, choicesOf, known, others, pause, post, Problem, remove } from './api.js';
import { attr, confirmed, doing, emit, h, on, progressBar, say, select, text } from './dom.js';
import { count, dots, isActive, num, outcome, stage, stateOf, waiting } from './words.js';

const WAIT_SECONDS = 20; // at most
const BACK_OFF = [1, 2, 5, 15]; // seconds between tries

// job: processing_status or null; queue: queue_info; changedAt: of the last news; rate: rows a second.
// The window hears of “job”, “news” and “connection”.
export const live = { job: null, queue: null, changedAt: 0, rate: 0, online: true };

let etag = null;
let running = 0;
let wake = () => {};
let first = null; // what was seen of the present phase at first

export function start() { running += 1; loop(running); }
export function stop() { running += 1; wake(); }
// Looks at once.
export function poke() { etag = null; wake(); }
// Windows out of sight hold no line: a browser has six to a server.
document.onvisibilitychange = poke;

// Something had no answer.
let missed = false;
on('unanswered', async () => {
	missed = true;
	if (!live.online) return; // it is being tried
	await pause(2000);
	poke();
});

function setOnline(online) { live.online = online; emit('connection'); }

async function loop(turn) {
	let failures = 0;
	while (turn === running) {
		const abort = new AbortController();
		wake = () => abort.abort();
		const woken = new Promise((resolve) => { abort.signal.onabort = resolve; });
		const sleep = (ms) => Promise.race([pause(ms), woken]);
		const began = Date.now();
		try {
			const response = await call('GET', `/api/files/processing-status${etag && !document.hidden ? `?wait=${WAIT_SECONDS}` : ''}`, { headers: etag ? { 'If-None-Match': etag } : {}, signal: abort.signal });
			const news = response.status === 200 && await response.json();
			if (turn !== running) return;
			if (failures || missed) { missed = false; setOnline(true); emit('back'); }
			failures = 0;
			if (news) {
				take(news);
				if (!abort.signal.aborted) etag = response.headers.get('ETag');
				await sleep(250); // four looks a second are plenty
			} else if (Date.now() - began < 1000) {
				await sleep(document.hidden ? 5000 : 1500); // the line was not held
			}
		} catch (error) {
			if (turn !== running) return;
			if (abort.signal.aborted) continue;
			etag = null; // the first answer comes at once
			const seconds = Math.max(BACK_OFF[Math.min(failures, BACK_OFF.length - 1)], error instanceof Problem ? error.retryAfter : 0);
			failures += 1;
			setOnline(false);
			await sleep(seconds * 1000);
		}
	}
}

function take({ processing_status: status, queue_info: queue }) {
	const job = status.status === 'idle' ? null : status;
	// Rows a second, within one phase.
	const now = Date.now();
	const { phase, rows_done: rows } = status.progress || {};
	const key = `${status.job_id} ${status.status} ${phase}`;
	if (first?.key !== key) first = { key, rows, at: now };
	const rate = status.status === 'processing' && now - first.at > 900 ? (1000 * (rows - first.rows)) / (now - first.at) : 0;
	const told = (one) => JSON.stringify({ ...one, progress: 0 });
	const isNews = told(job) !== told(live.job);
	Object.assign(live, { job, queue, rate, changedAt: now });
	emit('job');
	if (isNews) news();
}

// Something changed, here or in another window, or one comes back.
const news = () => emit('news');
onfocus = news;
others.addEventListener('message', news);

export const jobOf = (job) => (isLive(job) ? { ...job, ...live.job } : job);
export const isLive = (job) => job && live.job?.job_id === job.job_id;

export function wordsOf(job) {
	if (!isActive(job)) return outcome(job);
	const working = job.status === 'processing';
	if (!isLive(job)) return working ? stage(job) : job.fresh || '';
	if (!working) return dots(waiting(live.queue), job.begins_again);
	const { rows_done: done, rows_total: total } = job.progress || {};
	const silent = Math.floor((Date.now() - live.changedAt) / 1000);
	const rows = total ? `${num(done)} of ${count(total, 'row')}` : done > 0 && count(done, 'row');
	if (!live.online) return dots(stage(job), rows, 'as it was before the connection broke');
	return dots(stage(job), rows, live.rate >= 1 && `${num(Math.round(live.rate))} rows/s`, silent > 10 ? `no news for ${silent} s; still trying` : job.begins_again || 'you can close this page');
}

// Says each change once, and quarters of the way.
export function teller() {
	let said = '';
	let told; // of a restart
	return (job) => {
		const { word, tone } = stateOf(job);
		const quarter = !job.cancel_requested && Math.min(75, Math.floor((job.progress?.percent || 0) / 25) * 25);
		const spoken = job.status !== 'processing' ? dots(word, wordsOf({ ...job, begins_again: '' }).split(' · about')[0]) : quarter ? `${word}, ${quarter} percent` : word;
		const restart = isActive(job) && told !== job.begins_again && job.begins_again;
		const own = begun.job === job.job_id; // told even if only its end was seen
		if (restart || (said !== spoken && (said || own || isActive(job)))) say(`${job.filename}: ${dots(spoken, restart)}`, tone === 'bad');
		said = spoken;
		if (isActive(job)) told = job.begins_again;
		else if (own) begun.job = null;
	};
}

// How far a job is; `changed`: it came into another state.
export function follow(job, tell, changed, more) {
	const [bar, words] = [progressBar(`Progress of ${job.filename}`), h('p.status')];
	const element = h('div.grid', bar, words, h('div.actions', !job.cancel_requested && doing('Cancel', () => cancel(job)), more));
	const draw = () => {
		const now = jobOf(job);
		text(words, wordsOf(now));
		attr(bar, 'value', now.progress?.percent || null);
		return now;
	};
	const over = new AbortController();
	on('job', () => {
		const now = draw();
		if (element.isConnected && stateOf(now).word === stateOf(job).word) { tell(now); return; }
		over.abort();
		if (element.isConnected) changed();
	}, over);
	draw();
	return element;
}

// The row of its file takes the focus, the end of the job is told.
export const begun = {};
export function begin({ file_upload_id: id, job_id: job }) { Object.assign(begun, { id, job, left: false }); poke(); }

export const retry = async (job) => begin(await post(`/api/jobs/${job.job_id}/retry`));

export async function cancel(job) {
	try { await post(`/api/jobs/${job.job_id}/cancel`); } catch (problem) {
		if (problem.code !== 'not-active') throw problem; // else it has ended by itself meanwhile
	}
	poke();
}

export const TEMPLATE = 'companies'; // where nobody chooses one
export const templateSelect = (...how) => select([...choicesOf(known.templates), ['auto', 'No template: what the file holds']], ...how);

export const deleteFile = (near, { id, filename }, then) => confirmed(near, [`Delete ${filename}?`, 'The file and its stored rows are removed for good. Records made from it stay in the list.', `Delete ${filename}`], async () => {
	await remove(`/api/files/${id}`);
	say(`${filename} is deleted`);
	await then();
});

// Whether anything of it is in the list.
export const hasRecords = ({ status, undone, counts: c }) => status === 'completed' && !undone && c?.valid + c?.updated > 0;
export const hasReport = (job) => job?.status === 'completed' || job?.error?.code === 'missing-columns';

// What a job made, the most useful first: [label, address].
export function downloads(job) {
	if (job.status !== 'completed') return [];
	const stored = hasRecords(job);
	return [
		job.counts?.invalid > 0 && !job.file_deleted && ['Rows to fix (.xlsx)', 'repair.xlsx'], stored && ['Clean list (.xlsx)', 'records.xlsx'], stored && ['Clean list (.csv)', 'records.csv'],
		!job.file_deleted && ['Marked copy (.xlsx)', 'annotated.xlsx'], stored && ['JSON', 'records.json'], stored && ['JSON, a record a line', 'records.ndjson'],
	].filter(Boolean).map(([label, name]) => [label, `/api/jobs/${job.job_id}/${name}`]);
}
