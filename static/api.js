// The way to the server: JSON calls, uploads with progress, problems as errors, and what this server can do.

import { noteServerTime } from './words.js';

/** An answer that is no success. `code` is that of problem+json; `offline` when there was no answer at all. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.detail || body.code || `HTTP ${status}`);
    this.status = status;
    this.body = body;
    this.code = body.code || '';
    this.detail = body.detail || '';
    this.retryAfter = Number(body.retry_after ?? retryAfter) || 0;
  }
  get signedOut() { return this.status === 401 && this.code !== 'invalid-credentials'; }
}

const offline = () => new Problem(0, { code: 'offline' });
export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

let signInAgain = null;
/** Who asks for a sign-in when a session has ended: (problem) → Promise<boolean>, true to try again. */
export function onSignedOut(handler) { signInAgain = handler; }

function problemOf(status, type, text, retryAfter) {
  let body = null;
  if (/json/.test(type || '')) { try { body = JSON.parse(text); } catch { /* not ours */ } }
  if (body && typeof body === 'object') return new Problem(status, body, retryAfter);
  // Not written by Sheetline: something in between answered.
  if (status === 413) return new Problem(status, { code: 'too-large-proxy' });
  if (status >= 502 && status <= 504) return new Problem(status, { code: 'offline' });
  return new Problem(status, { detail: `The answer (${status}) did not come from Sheetline. Something between you and the server is in the way.` });
}

/** One request. Asks for a sign-in when the session ended (unless gate is false) and goes on after it; waits while the database is busy. */
export async function call(method, path, { json, headers = {}, signal, gate = true } = {}) {
  for (let tries = 1; ; tries += 1) {
    let response;
    let problem;
    try {
      response = await fetch(path, {
        method, signal, cache: 'no-store', credentials: 'same-origin',
        headers: { Accept: 'application/json', ...(json === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
        body: json === undefined ? undefined : JSON.stringify(json),
      });
      noteServerTime(response.headers.get('Date'));
      if (response.ok || response.status === 304) return response;
      problem = problemOf(response.status, response.headers.get('Content-Type'), await response.text(), response.headers.get('Retry-After'));
    } catch (error) {
      if (signal?.aborted) throw error;
      throw offline();
    }
    if (problem.signedOut && gate && signInAgain && await signInAgain(problem)) continue;
    if (problem.code === 'busy' && tries <= 3) { await pause(1000 * (problem.retryAfter || 2)); continue; }
    throw problem;
  }
}

async function body(response) {
  try { return await response.json(); } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(response.status, { detail: 'The answer could not be read. Something between you and the server is in the way.' });
  }
}
export const get = async (path, options) => body(await call('GET', path, options));
export const post = async (path, json = {}, options = {}) => body(await call('POST', path, { ...options, json }));
export const patch = async (path, json) => body(await call('PATCH', path, { json }));
export const remove = async (path) => body(await call('DELETE', path));

/** A key that makes a repeated upload the same upload. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');
}

/**
 * Sends a file as multipart/form-data. `onProgress(sent, total)` while it goes, `onSent()` when the last byte has gone.
 * A repeat with the same `key` is answered with the first answer, so a broken connection never doubles a file.
 */
export async function send(path, file, fields, { key, onProgress, onSent, signal } = {}) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await sendOnce(path, file, fields, { key, onProgress, onSent, signal });
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.signedOut && signInAgain && await signInAgain(problem)) continue;
      if ((problem.code === 'busy' || problem.code === 'idempotency-in-progress') && tries <= 3) { await pause(1000 * (problem.retryAfter || 2)); continue; }
      if (problem.code === 'offline') {
        // A file that was saved again since it was chosen looks like a broken connection.
        try { await file.slice(0, 1).arrayBuffer(); } catch { throw new Problem(0, { code: 'file-changed' }); }
      }
      throw problem;
    }
  }
}

function sendOnce(path, file, fields, { key, onProgress, onSent, signal }) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) if (value !== null && value !== undefined && value !== '') form.append(name, value);
    form.append('file', file, file.name);
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('Accept', 'application/json');
    if (key) request.setRequestHeader('Idempotency-Key', key);
    request.upload.onprogress = (event) => onProgress?.(event.loaded, event.lengthComputable ? event.total : file.size);
    request.upload.onload = () => onSent?.();
    request.onload = () => {
      const type = request.getResponseHeader('Content-Type');
      if (request.status >= 200 && request.status < 300) {
        try { resolve(JSON.parse(request.responseText)); return; } catch { /* told below */ }
      }
      reject(problemOf(request.status, type, request.responseText, request.getResponseHeader('Retry-After')));
    };
    request.onerror = () => reject(offline());
    request.onabort = () => reject(new DOMException('Cancelled', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort());
    if (signal?.aborted) { reject(new DOMException('Cancelled', 'AbortError')); return; }
    request.send(form);
  });
}

// ---- What this server can do: read once from its own description; what is not in there is not shown.

const routes = new Map();
let limits = {};
const shape = (path) => path.replace(/\{[^}]*\}/g, '{}').replace(/\/$/, '');

export async function loadFeatures() {
  try {
    const description = await get('/api/openapi.json', { gate: false });
    for (const [path, methods] of Object.entries(description.paths || {})) routes.set(shape(path), Object.keys(methods || {}));
    limits = description['x-limits'] || {};
  } catch { /* an older server: the main path only */ }
}

/** Whether the server has a route, as in has('POST', '/api/jobs/{id}/undo'). */
export function has(method, path) {
  const methods = routes.get(shape(path));
  return Boolean(methods) && methods.includes(method.toLowerCase());
}

/** The largest upload in bytes, when the server tells it. */
export const uploadBytesMax = () => (typeof limits.upload_bytes_max === 'number' ? limits.upload_bytes_max : null);
