// The way to the server: JSON calls, uploads with progress, problems as errors, what is asked once.

import { noteServerTime } from './words.js';

/** An answer that is no success. `code` is that of problem+json; `offline` when there was no answer at all. */
export class Problem extends Error {
	constructor(status, body, retryAfter) {
		super(body.detail || body.code || `HTTP ${status}`);
		Object.assign(this, { status, body, code: body.code || '', detail: body.detail || '', retryAfter: Number(body.retry_after ?? retryAfter) || 0 });
	}
	get signedOut() { return this.status === 401 && this.code !== 'invalid-credentials'; }
}

const offline = () => new Problem(0, { code: 'offline' });
const aborted = () => new DOMException('Cancelled', 'AbortError');
export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

let signInAgain = async () => false;
/** Who asks for a sign-in when a session has ended: (problem) → Promise<boolean>, true to try again. */
export function onSignedOut(handler) { signInAgain = handler; }

function problemOf(status, type, text, retryAfter) {
	if (/json/.test(type || '')) {
		try { return new Problem(status, JSON.parse(text), retryAfter); } catch { /* not ours */ }
	}
	// Not written by Sheetline: something in between answered.
	if (status === 413) return new Problem(status, { code: 'too-large-proxy' });
	if (status >= 502 && status <= 504) return offline();
	return new Problem(status, { detail: `The answer (${status}) did not come from Sheetline. Something between you and the server is in the way.` });
}

/** Tries `once` again after a sign-in, and a few times while the server is busy. */
async function insist(once, gate) {
	for (let tries = 1; ; tries += 1) {
		try { return await once(); } catch (problem) {
			if (!(problem instanceof Problem)) throw problem;
			if (problem.signedOut && gate && await signInAgain(problem)) continue;
			if (!['busy', 'idempotency-in-progress'].includes(problem.code) || tries > 3) throw problem;
			await pause(1000 * (problem.retryAfter || 2));
		}
	}
}

/** One request. Asks for a sign-in when the session ended (unless gate is false) and goes on after it. */
export const call = (method, path, { json, headers = {}, signal, gate = true } = {}) => insist(async () => {
	let response;
	try {
		response = await fetch(path, {
			method, signal, cache: 'no-store', credentials: 'same-origin',
			headers: { Accept: 'application/json', ...(json && { 'Content-Type': 'application/json' }), ...headers },
			body: json && JSON.stringify(json),
		});
	} catch { throw signal?.aborted ? aborted() : offline(); }
	noteServerTime(response.headers.get('Date'));
	if (response.ok || response.status === 304) return response;
	throw problemOf(response.status, response.headers.get('Content-Type'), await response.text(), response.headers.get('Retry-After'));
}, gate);

async function body(response) {
	try { return await response.json(); } catch (error) {
		if (error.name === 'AbortError') throw error;
		throw problemOf(response.status, '', '');
	}
}
export const get = async (path, options) => body(await call('GET', path, options));
export const post = async (path, json = {}, options = {}) => body(await call('POST', path, { ...options, json }));
const changing = (method) => async (path, json) => body(await call(method, path, { json }));
export const [patch, put, remove] = ['PATCH', 'PUT', 'DELETE'].map(changing);
export const query = (parts) => { const text = new URLSearchParams(Object.entries(parts).filter(([, value]) => value)).toString(); return text && `?${text}`; };

/** A key that makes a repeated upload the same upload. */
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');

/**
 * Sends a file as multipart/form-data. `onProgress(sent, total)` while it goes, `onSent()` when the last byte has gone.
 * A repeat with the same `key` is answered with the first answer, so a broken connection never doubles a file.
 */
export async function send(path, file, fields, options = {}) {
	try { return await insist(() => sendOnce(path, file, fields, options), true); } catch (problem) {
		if (problem.code === 'offline') {
			// A file that was saved again since it was chosen looks like a broken connection.
			try { await file.slice(0, 1).arrayBuffer(); } catch { throw new Problem(0, { code: 'file-changed' }); }
		}
		throw problem;
	}
}

const sendOnce = (path, file, fields, { key, onProgress, onSent, signal }) => new Promise((resolve, reject) => {
	if (signal?.aborted) { reject(aborted()); return; }
	const form = new FormData();
	for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
	form.append('file', file, file.name);
	const request = new XMLHttpRequest();
	request.open('POST', path);
	request.setRequestHeader('Accept', 'application/json');
	if (key) request.setRequestHeader('Idempotency-Key', key);
	request.upload.onprogress = (event) => onProgress?.(event.loaded, event.lengthComputable ? event.total : file.size);
	request.upload.onload = () => onSent?.();
	request.onload = () => {
		if (request.status >= 200 && request.status < 300) {
			try { resolve(JSON.parse(request.responseText)); return; } catch { /* told below */ }
		}
		const problem = problemOf(request.status, request.getResponseHeader('Content-Type'), request.responseText, request.getResponseHeader('Retry-After'));
		if (problem.status === 408) problem.code = 'slow-upload';
		reject(problem);
	};
	request.onerror = () => reject(offline());
	request.onabort = () => reject(aborted());
	signal?.addEventListener('abort', () => request.abort());
	request.send(form);
});

// ---- What is asked once, at the sign-in

/** Bytes of an upload at most; the templates with their names, titles and schemas. */
export const known = { uploadBytesMax: 0, templates: [] };
export async function learn() {
	const [description, { templates }] = await Promise.all([get('/api/openapi.json', { gate: false }), get('/api/templates', { gate: false })]);
	Object.assign(known, { uploadBytesMax: description['x-limits'].upload_bytes_max, templates: templates.map((one) => ({ ...one, title: one.title || one.name })) });
}

export const fieldsOf = (template) => known.templates.find((one) => one.name === template)?.schema.fields || [];
/** What people call the fields of a template: (name) → title. */
export const titlesOf = (template) => (name) => fieldsOf(template).find((field) => field.name === name)?.title || name;
