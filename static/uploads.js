// The list of uploads with their states and actions; and one stored file with its rows.

import { call, get, has, post, remove } from './api.js';
import { processStored } from './add.js';
import { ask, attr, badge, button, fill, h, icon, link, menu, note, say, table, text } from './dom.js';
import { live, markStopping, onChange, poke } from './live.js';
import { bytes, cell, count, explain, isActive, num, outcome, phaseWord, stateOf, time, waiting } from './words.js';

const PAGE = 50;
const SHOWN_ROWS = 100;
const STATES = [['', 'All'], ['active', 'Waiting or working'], ['completed', 'Done'], ['fix', 'Done, with rows to fix'], ['stored', 'Stored, not processed'], ['failed', 'Failed'], ['cancelled', 'Cancelled']];

const jobOf = (file) => {
  const last = file.last_job;
  if (!last) return null;
  const job = { ...last, job_id: last.job_id ?? last.id };
  return live.job?.job_id === job.job_id ? { ...job, ...live.job } : job;
};

function matches(file, state, words) {
  const job = jobOf(file);
  if (words && !file.filename.toLowerCase().includes(words)) return false;
  switch (state) {
    case 'active': return isActive(job);
    case 'fix': return job?.status === 'completed' && job.counts?.invalid > 0;
    case 'stored': return !job;
    case 'failed': return job?.status === 'failed' || job?.status === 'timeout';
    case '': return true;
    default: return job?.status === state;
  }
}

/** "Your uploads". `reload()` fetches the newest anew; rows stay where they are and change in place. */
export function uploadsView({ user }) {
  const filter = { state: '', words: '', all: false };
  const rows = new Map(); // id → {file, element, update}
  let order = [];
  let cursor = null;
  let turn = 0;

  const search = h('input', { type: 'search', 'aria-label': 'Search by file name', placeholder: 'Search…', oninput: () => { filter.words = search.value.trim().toLowerCase(); sift(true); } });
  const state = h('select', { 'aria-label': 'State', onchange: () => { filter.state = state.value; sift(true); } }, STATES.map(([value, label]) => h('option', { value }, label)));
  const whose = user.role === 'admin' && h('select', { 'aria-label': 'Whose uploads', onchange: () => { filter.all = whose.value === 'all'; rows.clear(); order = []; fill(body); load(); } }, h('option', { value: '' }, 'Mine'), h('option', { value: 'all' }, 'Everybody’s'));
  const body = h('tbody');
  const list = h('table.uploads', h('caption.vh', 'Uploads, newest first'), h('thead', h('tr', h('th', { scope: 'col' }, 'File'), h('th', { scope: 'col', class: 'num' }, 'Rows'), h('th', { scope: 'col' }, 'Added'), h('th', { scope: 'col' }, 'State'), h('th', { scope: 'col' }, h('span.vh', 'Actions')))), body);
  const foot = h('div.foot');
  const element = h('section', { 'aria-labelledby': 'uploads-title' },
    h('div.head', h('h2', { id: 'uploads-title' }, 'Your uploads'), h('div.tools', whose, search, state)), list, foot);
  list.hidden = true;
  fill(foot, h('p.empty', 'Loading…'));

  async function load(more = false) {
    turn += 1;
    const mine = turn;
    try {
      const answer = await get(`/api/files?limit=${PAGE}${filter.all ? '&all=1' : ''}${more && cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
      if (mine !== turn) return;
      const ids = answer.files.map((file) => file.id);
      for (const file of answer.files) {
        const row = rows.get(file.id) || makeRow(file);
        row.file = file;
        rows.set(file.id, row);
        row.update();
      }
      if (more) order = [...order, ...ids.filter((id) => !order.includes(id))];
      else {
        // The newest page replaces what stood in its place; older rows that were loaded stay.
        const oldest = order.indexOf(ids[ids.length - 1]);
        order = answer.next_cursor && oldest >= 0 ? [...ids, ...order.slice(oldest + 1).filter((id) => !ids.includes(id))] : ids;
      }
      if (more || order.length <= ids.length) cursor = answer.next_cursor;
      for (const id of [...rows.keys()]) if (!order.includes(id)) { rows.get(id).element.remove(); rows.delete(id); }
      sift();
    } catch (problem) {
      if (mine !== turn) return;
      fill(foot, note('bad', explain(problem), ' ', button('Try again', () => load(more), { kind: 'small' })));
    }
  }

  function sift(spoken = false) {
    const seen = order.map((id) => rows.get(id)).filter((row) => matches(row.file, filter.state, filter.words));
    const wanted = seen.map((row) => row.element);
    // Only what differs is moved, so that focus and open menus stay.
    for (const child of [...body.children]) if (!wanted.includes(child)) child.remove();
    wanted.forEach((child, i) => { if (body.children[i] !== child) body.insertBefore(child, body.children[i] || null); });
    list.hidden = seen.length === 0;
    const filtering = filter.state || filter.words;
    const empty = !order.length ? h('p.empty', filter.all ? 'Nobody has uploaded anything yet.' : 'No uploads yet. Drop a file above, or choose one.')
      : !seen.length ? h('p.empty', cursor ? `None of the newest ${num(order.length)} uploads.` : 'No upload is like that.') : null;
    fill(foot, empty, cursor && button(filtering ? 'Look further back' : 'Show older', () => load(true)));
    if (spoken) say(count(seen.length, 'upload'));
  }

  function makeRow(file) {
    const fileCell = h('td.file', { 'data-label': 'File' });
    const rowsCell = h('td.num', { 'data-label': 'Rows' });
    const when = h('td.when', { 'data-label': 'Added' });
    const stateCell = h('td.state', { 'data-label': 'State' });
    const actions = h('td.acts');
    const row = { file, element: h('tr', fileCell, rowsCell, when, stateCell, actions) };
    const name = link(file.filename, `#/file/${file.id}`, { class: 'name' });
    fill(fileCell, name);
    fill(when, time(file.uploaded_at));
    let drawn = '';
    let words = null;
    let bar = null;
    let progressing = false;
    row.update = () => {
      const job = jobOf(row.file);
      text(rowsCell, num(row.file.rows));
      const own = row.file.uploaded_by === user.username || !row.file.uploaded_by;
      if (filter.all && !fileCell.querySelector('.hint')) fileCell.append(h('span.hint', ` ${row.file.uploaded_by}`));
      const live_ = job && live.job?.job_id === job.job_id && isActive(job);
      const shown = stateOf(job);
      const key = `${job?.job_id} ${job?.status} ${shown.word} ${shown.tone} ${live_} ${job?.undone_at} ${JSON.stringify(job?.counts)}`;
      if (key !== drawn) {
        drawn = key;
        words = h('span.words');
        progressing = job?.status === 'processing';
        bar = progressing ? h('progress', { max: '100', 'aria-label': `Progress of ${row.file.filename}` }) : null;
        fill(stateCell, badge(shown), words, bar);
        const close = row.element.contains(document.activeElement) && actions.contains(document.activeElement);
        fill(actions, rowActions(row.file, job, own));
        if (close) actions.querySelector('a,button')?.focus();
      }
      if (!job) text(words, 'not processed');
      else if (job.status === 'pending') text(words, live_ ? waiting(live.queue) : '');
      else if (progressing) {
        const p = job.progress;
        text(words, [job.cancel_requested ? 'after this batch' : phaseWord(p?.phase), typeof p?.percent === 'number' && `${p.percent} %`].filter(Boolean).join(' · '));
        if (typeof p?.percent === 'number') bar.value = p.percent; else bar.removeAttribute('value');
      } else text(words, outcome(job));
    };
    return row;
  }

  function rowActions(file, job, own) {
    const main = isActive(job) ? button('Cancel', (event) => cancel(event.target, job), { kind: 'small', 'aria-label': `Cancel ${file.filename}` })
      : job?.status === 'completed' || job?.error?.code === 'missing-columns' ? link('Report', `#/job/${job.job_id}`, { class: 'button small', 'aria-label': `Report on ${file.filename}` })
        : own ? button(job ? 'Try again' : 'Process', (event) => act(event.target, () => (job ? again(job) : processStored(file.id))), { kind: 'small', 'aria-label': `${job ? 'Try again:' : 'Process'} ${file.filename}` }) : null;
    return [main, menu(`More for ${file.filename}`, () => [
      link('View rows', `#/file/${file.id}`),
      job?.status === 'completed' && link('Clean list (.csv)', `/api/jobs/${job.job_id}/records.csv`, { download: true }),
      job?.counts?.invalid > 0 && has('GET', '/api/jobs/{id}/repair.xlsx') && link('Rows to fix (.xlsx)', `/api/jobs/${job.job_id}/repair.xlsx`, { download: true }),
      link('The file as uploaded', `/api/files/${file.id}/original`, { download: true }),
      own && job && !isActive(job) && button('Process again', (event) => act(anchor(event), () => processStored(file.id))),
      !isActive(job) && button('Delete…', async (event) => {
        const near = anchor(event);
        if (await askDelete(file)) await act(near, () => remove(`/api/files/${file.id}`), `${file.filename} is deleted`);
      }, { kind: 'danger-text' }),
    ].filter(Boolean), { cls: 'small' })];
  }
  const anchor = (event) => event.target.closest('td').querySelector('.menu > button');

  async function again(job) {
    if (has('POST', '/api/jobs/{id}/retry')) { await post(`/api/jobs/${job.job_id}/retry`); poke(); } else await processStored(job.file_upload_id);
  }
  async function cancel(near, job) {
    await act(near, async () => { await post(`/api/jobs/${job.job_id}/cancel`); markStopping(job.job_id); });
  }
  /** A failure stands in the row, below its state. */
  async function act(near, work, done) {
    const row = near.closest('tr');
    attr(near, 'aria-disabled', 'true');
    row.querySelector('.beside')?.remove();
    try {
      await work();
      if (done) say(done);
      poke();
      await load();
      if (!row.isConnected) document.getElementById('uploads-title').focus?.();
    } catch (problem) {
      row.querySelector('.state').append(h('span.beside', icon('cross'), explain(problem)));
      say(explain(problem), true);
    }
    attr(near, 'aria-disabled', null);
  }

  let before = '';
  const off = onChange(() => {
    const now = `${live.job?.job_id} ${live.job?.status}`;
    if (before && now !== before) load();
    before = now;
    const row = [...rows.values()].find((r) => jobOf(r.file)?.job_id === live.job?.job_id);
    row?.update();
  });
  load();
  return { element, reload: () => load(), close: off };
}

const askDelete = (file) => ask({ title: `Delete ${file.filename}?`, body: 'The file and its stored rows are removed for good.', yes: `Delete ${file.filename}` });

// ---- One file

export function fileView(_, id) {
  const element = h('div', h('h1', { tabindex: '-1' }, 'Upload'), h('p.empty', 'Loading…'));
  const abort = new AbortController();
  (async () => {
    let file;
    try { ({ file } = await get(`/api/files/${encodeURIComponent(id)}`)); } catch (problem) {
      fill(element, back(), h('h1', { tabindex: '-1' }, 'Upload'), note('bad', problem.code === 'not-found' ? 'This upload is gone, or it belongs to somebody else.' : explain(problem)));
      return;
    }
    document.title = `${file.filename} – Sheetline`;
    const job = file.last_job ? { ...file.last_job, job_id: file.last_job.job_id ?? file.last_job.id } : null;
    const place = h('div');
    const problem = h('div');
    const rowsPlace = h('div');
    const json = `/api/files/${encodeURIComponent(id)}/json`;
    const sheets = (file.sheets || []).map((s) => (typeof s === 'string' ? { name: s } : s));
    const sheet = sheets.length > 1 && h('select', { 'aria-label': 'Sheet', onchange: () => rowsOf(sheet.value) }, sheets.map((s) => h('option', { value: s.name }, s.name)));
    fill(element, back(),
      h('div.head', h('h1.name', { tabindex: '-1' }, file.filename), badge(stateOf(job))),
      h('p.lead', [count(file.rows ?? 0, 'row'), bytes(file.size), file.format, `added by ${file.uploaded_by}`].join(' · '), ' · ', time(file.uploaded_at)),
      job && outcome(job) && h('p', outcome(job)), problem,
      h('div.actions',
        job?.status === 'completed' && link('Report', `#/job/${job.job_id}`, { class: 'button primary' }),
        !isActive(job) && button(job ? 'Process again' : 'Process', async () => {
          try { await processStored(id); location.hash = '#/'; } catch (error) { fill(problem, note('bad', explain(error))); say(explain(error), true); }
        }, { kind: job?.status === 'completed' ? '' : 'primary' }),
        link('JSON', json, { class: 'button', download: `${file.filename}.json`, ico: 'down' }), link('JSON, a row a line', `${json}?format=ndjson`, { class: 'button', download: `${file.filename}.ndjson` }),
        link('The file as uploaded', `/api/files/${encodeURIComponent(id)}/original`, { class: 'button', download: true })),
      h('div.head', h('h2', 'Rows'), sheet && h('div.tools', sheet)), rowsPlace, place,
      h('p.fine', h('span.hint', 'SHA-256 '), h('code', file.sha256)));
    let turn = 0;
    async function rowsOf(name) {
      turn += 1;
      const mine = turn;
      fill(rowsPlace, h('p.empty', 'Loading…'));
      try {
        const { rows, more } = await firstRows(`${json}?format=ndjson${name ? `&sheet=${encodeURIComponent(name)}` : ''}`, abort.signal);
        if (mine !== turn) return;
        const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
        fill(rowsPlace, rows.length ? table(`Rows of ${file.filename}`, columns.map((label) => ({ label })), rows.map((row) => columns.map((c) => cell(row[c]))), { cls: 'data', hideCaption: true }) : h('p.empty', 'This sheet has no rows.'),
          more && h('p.hint', `The first ${num(rows.length)} rows. All of them are in the JSON.`));
      } catch (error) {
        if (error.name !== 'AbortError' && mine === turn) fill(rowsPlace, note('bad', explain(error)));
      }
    }
    await rowsOf('');
  })();
  return { title: 'Upload', element, close: () => abort.abort() };
}

export const back = () => h('p.back', link('Uploads', '#/', { ico: 'back' }));

/** The first rows of a list that may be huge: reads line by line and hangs up when it has enough. */
async function firstRows(path, signal) {
  const enough = new AbortController();
  signal.addEventListener('abort', () => enough.abort());
  const response = await call('GET', path, { signal: enough.signal });
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const rows = [];
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
    const lines = rest.split('\n');
    rest = done ? '' : lines.pop();
    for (const line of lines) if (line.trim()) rows.push(JSON.parse(line));
    if (rows.length > SHOWN_ROWS) { enough.abort(); return { rows: rows.slice(0, SHOWN_ROWS), more: true }; }
    if (done) return { rows, more: false };
  }
}
