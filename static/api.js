// The way to the server: calls, uploads, problems as errors.

import { noteServerTime } from './words.js';

// No success. `code` is that of problem+json; `offline`: there was no answer.
export class Problem extends Error {
	constructor(status, body) {
		super();
		Object.assign(this, { status, body, code: body.code || '', detail: body.detail || '', retryAfter: body.retry_after || 0 });
	}
	get signedOut() { return this.status === 401 && this.code !== 'invalid-credentials'; }
}

const offline = () => new Problem(0, { code: 'offline' });
// Tells other windows what changed.
export const others = new BroadcastChannel('sheetline');
export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

let signInAgain = async () => false;
let signIns = 0;
// (problem) → Promise<boolean>, true: try again.
export function onSignedOut(handler) { signInAgain = handler; }

function problemOf(status, text) {
	try {
		const told = JSON.parse(text);
		if (told.code || told.queue) return new Problem(status, told);
	} catch { /* not ours */ }
	if (status === 413) return new Problem(status, { code: 'too-large-proxy' });
	if (status >= 502 && status <= 504) return offline();
	return new Problem(status, { detail: `The answer (${status}) did not come from Sheetline. Something between you and the server is in the way.` });
}

// Again after a sign-in (unless there was one meanwhile), and a few times while the server is busy.
async function insist(once, gate, onBusy) {
	for (let tries = 1; ; tries += 1) {
		const then = signIns;
		try { return await once(); } catch (problem) {
			if (!(problem instanceof Problem)) throw problem;
			if (problem.signedOut && gate) {
				if (then < signIns) continue;
				if (await signInAgain(problem)) { signIns += 1; continue; }
			}
			if (!['busy', 'idempotency-in-progress'].includes(problem.code) || tries > 3) throw problem;
			const seconds = problem.retryAfter || 2;
			onBusy?.(seconds);
			await pause(1000 * seconds);
		}
	}
}

// One request; `gate`: past a sign-in where the session ended.
export const call = (method, path, { json, headers = {}, signal, gate = true, onBusy } = {}) => insist(async () => {
	let response;
	try {
		response = await fetch(path, {
			method, signal, cache: 'no-store', credentials: 'same-origin',
			headers: { Accept: 'application/json', ...(json && { 'Content-Type': 'application/json' }), ...headers },
			body: json && JSON.stringify(json),
		});
	} catch (error) { throw signal?.aborted ? error : offline(); }
	noteServerTime(response.headers.get('Date'));
	if (method !== 'GET') others.postMessage(path);
	if (response.ok || response.status === 304) return response;
	throw problemOf(response.status, await response.text());
}, gate, onBusy);

const body = (response) => response.json().catch((error) => { throw error.name === 'AbortError' ? error : problemOf(response.status, ''); });
export const get = async (path, options) => body(await call('GET', path, options));
export const post = async (path, json = {}, options = {}) => body(await call('POST', path, { ...options, json }));
const changing = (method) => async (path, json) => body(await call(method, path, { json }));
export const [patch, put, remove] = ['PATCH', 'PUT', 'DELETE'].map(changing);
const filled = (parts) => Object.entries(parts).filter(([, value]) => value);
export const query = (parts) => { const text = new URLSearchParams(filled(parts)).toString(); return text && `?${text}`; };

// In the address, for a reload and Back.
const place = () => location.hash.split('?')[0] || '#/';
export const sought = (parts) => ({ ...parts, ...Object.fromEntries(new URLSearchParams(location.hash.slice(place().length))) });
export const keepSought = (parts) => history.replaceState(history.state, '', place() + query(parts));

export const newKey = () => crypto.getRandomValues(new Uint8Array(16)).join('-');

// A file as a form. The same `key` gets the first answer again: nothing comes twice.
export async function send(path, file, fields, options = {}) {
	try { return await insist(() => sendOnce(path, file, fields, options), true, options.onBusy); } catch (problem) {
		if (problem.code === 'offline') {
			// So looks a file that was saved meanwhile.
			try { await file.slice(0, 1).arrayBuffer(); } catch ({ name }) { throw new Problem(0, { code: name === 'NotFoundError' ? 'file-gone' : 'file-changed' }); }
		}
		throw problem;
	}
}

const sendOnce = (path, file, fields, { key, onProgress, onSent, signal }) => new Promise((resolve, reject) => {
	const form = new FormData();
	for (const [name, value] of filled(fields)) form.append(name, typeof value === 'string' ? value : JSON.stringify(value));
	form.append('file', file, file.name);
	const request = new XMLHttpRequest();
	request.open('POST', path);
	request.setRequestHeader('Accept', 'application/json');
	if (key) request.setRequestHeader('Idempotency-Key', key);
	request.upload.onprogress = (event) => onProgress?.(event.loaded, event.lengthComputable ? event.total : file.size);
	request.upload.onload = () => onSent?.();
	request.onload = () => {
		if (request.status >= 200 && request.status < 300) {
			try { resolve(JSON.parse(request.responseText)); others.postMessage(path); return; } catch { /* told below */ }
		}
		const problem = problemOf(request.status, request.responseText);
		if (problem.status === 408) problem.code = 'slow-upload';
		reject(problem);
	};
	request.onerror = () => reject(offline());
	request.onabort = () => reject(new DOMException('Cancelled', 'AbortError'));
	signal.onabort = () => request.abort();
	request.send(form);
	if (signal.aborted) request.abort();
});

// What is asked once, at the sign-in.
export const known = { uploadBytesMax: 0, templates: [] };
export async function learn() {
	const [description, { templates }] = await Promise.all([get('/api/openapi.json', { gate: false }), get('/api/templates', { gate: false })]);
	const titled = (one) => ({ ...one, title: one.title || one.name });
	Object.assign(known, { uploadBytesMax: description['x-limits'].upload_bytes_max, templates: templates.map((one) => ({ ...titled(one), fields: one.schema.fields.map(titled) })) });
}

export const fieldsOf = (template) => known.templates.find((one) => one.name === template)?.fields || [];
export const choicesOf = (things) => things.map((one) => [one.name, one.title]);
// What people call things: (name) → title.
export const titlesOf = (things) => (name) => things.find((one) => one.name === name)?.title || name;
