// What the user's newest job does, kept fresh by long polling: one loop for the whole page.

import { call, pause, Problem } from './api.js';
import { isActive } from './words.js';

const WAIT_SECONDS = 20; // the server answers earlier when something changes
const BACK_OFF = [1, 2, 5, 15]; // seconds between tries while there is no answer

/** job: processing_status or null; queue: queue_info; changedAt: of the last news; rate: rows a second. */
export const live = { job: null, queue: null, changedAt: 0, rate: 0, online: true };

const listeners = new Set();
let connection = () => {};
let etag = null;
let running = 0;
let wake = () => {};
let stopping = null; // id of a job that was asked to stop, until it ends
let first = null; // what was seen of the present phase at first

export function onChange(listener) { listeners.add(listener); return () => listeners.delete(listener); }
export function onConnection(listener) { connection = listener; }

export function start() { running += 1; loop(running); }
export function stop() { running += 1; wake(); live.job = null; live.queue = null; etag = null; }
/** Looks at once, whatever the loop is waiting for. */
export function poke() { etag = null; wake(); }
export function markStopping(id) { stopping = id; if (live.job?.job_id === id && live.job.status === 'processing') { live.job.cancel_requested = true; tell(); } }

function tell() { for (const listener of [...listeners]) listener(live); }
function setOnline(online) { live.online = online; connection(online); }

async function loop(turn) {
	let failures = 0;
	while (turn === running) {
		const abort = new AbortController();
		let rest = () => {};
		wake = () => { abort.abort(); rest(); };
		const sleep = (ms) => (abort.signal.aborted ? null : Promise.race([pause(ms), new Promise((resolve) => { rest = resolve; })]));
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
	if (job && stopping === job.job_id) { if (isActive(job)) job.cancel_requested = true; else stopping = null; }
	measure(job);
	Object.assign(live, { job, queue, changedAt: Date.now() });
	tell();
}

/** Rows a second, within one phase. */
function measure(job) {
	const now = Date.now();
	const { phase, rows_done: rows } = job?.progress || {};
	const key = `${job?.job_id} ${job?.status} ${phase}`;
	if (first?.key !== key) first = { key, rows, at: now };
	live.rate = job?.status === 'processing' && now - first.at > 900 ? (1000 * (rows - first.rows)) / (now - first.at) : 0;
}
