// Jobs: what the user's newest one does, kept fresh by long polling, and what can be done with one.

import { call, known, pause, post, Problem, remove } from './api.js';
import { confirmed, say, select } from './dom.js';

const WAIT_SECONDS = 20; // the server answers earlier when something changes
const BACK_OFF = [1, 2, 5, 15]; // seconds between tries while there is no answer

// job: processing_status or null; queue: queue_info; changedAt: of the last news; rate: rows a second.
export const live = { job: null, queue: null, changedAt: 0, rate: 0, online: true };

const listeners = new Set();
let connection = () => {};
let etag = null;
let running = 0;
let wake = () => {};
let first = null; // what was seen of the present phase at first

export function onChange(listener) { listeners.add(listener); return () => listeners.delete(listener); }
export function onConnection(listener) { connection = listener; }

export function start() { running += 1; loop(running); }
export function stop() { running += 1; wake(); live.job = null; live.queue = null; etag = null; }
// Looks at once, whatever the loop is waiting for.
export function poke() { etag = null; wake(); }

function setOnline(online) { live.online = online; connection(online); }

async function loop(turn) {
	let failures = 0;
	while (turn === running) {
		const abort = new AbortController();
		wake = () => abort.abort();
		const woken = new Promise((resolve) => { abort.signal.onabort = resolve; });
		const sleep = (ms) => Promise.race([pause(ms), woken]);
		const began = Date.now();
		try {
			const response = await call('GET', `/api/files/processing-status${etag ? `?wait=${WAIT_SECONDS}` : ''}`, { headers: etag ? { 'If-None-Match': etag } : {}, signal: abort.signal });
			const news = response.status === 200 && await response.json();
			if (turn !== running) return;
			if (failures) setOnline(true);
			failures = 0;
			if (news) {
				take(news);
				if (!abort.signal.aborted) etag = response.headers.get('ETag');
				await sleep(250); // progress may change many times a second; four looks are plenty
			} else if (Date.now() - began < 1000) {
				await sleep(1500); // the server did not hold the line
			}
		} catch (error) {
			if (turn !== running) return;
			if (abort.signal.aborted) continue;
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
	Object.assign(live, { job, queue, rate, changedAt: now });
	for (const listener of [...listeners]) listener(live);
}

// ---- Acts

// The file that was just added or begun: its row takes the focus.
export const begun = { id: null };

export async function retry(job) {
	begun.id = (await post(`/api/jobs/${job.job_id}/retry`)).file_upload_id;
	poke();
}

export async function cancel(job) {
	try { await post(`/api/jobs/${job.job_id}/cancel`); } catch (problem) {
		if (problem.code !== 'not-active') throw problem; // else it has ended by itself meanwhile
	}
	poke();
}

export const TEMPLATE = 'companies'; // where nobody chooses one
export const templateSelect = (chosen, onchange) => select([...known.templates.map((one) => [one.name, one.title]), ['auto', 'No template: work it out from the file']], chosen, onchange);

export const deleteFile = (near, { id, filename }, then) => confirmed(near, [`Delete ${filename}?`, 'The file and its stored rows are removed for good. Records made from it stay in the list.', `Delete ${filename}`], async () => {
	await remove(`/api/files/${id}`);
	say(`${filename} is deleted`);
	await then();
});

// ---- Results

export const hasReport = (job) => job?.status === 'completed' || job?.error?.code === 'missing-columns';

// What a job made, for taking away, the most useful first: [label, address].
export function downloads(job) {
	if (job.status !== 'completed') return [];
	const stored = !job.undone; // What was undone has no records any more.
	return [
		job.counts?.invalid > 0 && ['Rows to fix (.xlsx)', 'repair.xlsx'], stored && ['Clean list (.xlsx)', 'records.xlsx'], stored && ['Clean list (.csv)', 'records.csv'],
		!job.file_deleted && ['Marked copy (.xlsx)', 'annotated.xlsx'], stored && ['JSON', 'records.json'], stored && ['JSON, a record a line', 'records.ndjson'],
	].filter(Boolean).map(([label, name]) => [label, `/api/jobs/${job.job_id}/${name}`]);
}
