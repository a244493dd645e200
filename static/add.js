// Adding a file: drop or choose, look at it first, send it, and watch its job until it ends.

import { get, has, newKey, post, remove, send, uploadBytesMax, Problem } from './api.js';
import { attr, badge, button, field, fill, h, icon, link, newId, note, say, show, table, text } from './dom.js';
import { live, markStopping, onChange, poke } from './live.js';
import { bytes, cell, count, duration, explain, howWord, isActive, num, outcome, phaseWord, stateOf, waiting } from './words.js';

const ACCEPT = '.xlsx,.xlsm,.xlsb,.xls,.ods,.csv,.tsv,.txt';
const TEMPLATE = 'companies';

// What is chosen and what is under way. It outlives the view: looking at the records does not lose the file.
const pick = { file: null, key: null, error: null, preview: null, options: {}, sending: null, stored: null, looking: null };
let templates = null;
let paint = () => {};
let uploaded = () => {}; // tells the list that something new is there

/** Whether leaving the page now would lose something. */
export const isSending = () => Boolean(pick.sending);
export const hasFile = () => Boolean(pick.file);
export const sendingTitle = () => (pick.sending ? `${pick.sending.label} · ${pick.file.name}` : '');

// ---- Choosing

/** Drops count anywhere in the window: a miss must not leave the page. */
export function acceptDrops(ready) {
  const files = (event) => [...(event.dataTransfer?.types || [])].includes('Files');
  let leaving = 0;
  addEventListener('dragover', (event) => {
    if (!files(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = ready() ? 'copy' : 'none';
    clearTimeout(leaving);
    leaving = setTimeout(() => document.body.classList.remove('dragging'), 200);
    if (ready()) document.body.classList.add('dragging');
  });
  addEventListener('drop', (event) => {
    if (!files(event)) return;
    event.preventDefault();
    document.body.classList.remove('dragging');
    if (!ready()) return;
    const entries = [...event.dataTransfer.items].filter((item) => item.kind === 'file');
    const folder = entries.some((item) => item.webkitGetAsEntry?.()?.isDirectory);
    const dropped = [...event.dataTransfer.files];
    if (location.hash.replace(/^#\/?/, '')) location.hash = '#/';
    choose(dropped, folder);
  });
}

const PICTURES = [['%PDF', 'a PDF'], ['\x89PNG', 'a picture'], ['\xff\xd8\xff', 'a picture'], ['GIF8', 'a picture']];

async function choose(files, folder) {
  if (pick.sending) { refuse('A file is being sent. Wait for it or cancel it first.'); return; }
  if (folder) { refuse('That is a folder. Drop the file itself.'); return; }
  if (files.length > 1) { refuse(`Add one file at a time. You dropped ${files.length}.`); return; }
  const file = files[0];
  if (!file) return;
  const most = uploadBytesMax();
  if (most && file.size > most) { refuse(`The file must be smaller than ${bytes(most)}. Yours is ${bytes(file.size)}.`); return; }
  if (file.size === 0) { refuse('The file is empty.'); return; }
  let head;
  try { head = String.fromCharCode(...new Uint8Array(await file.slice(0, 8).arrayBuffer())); } catch { refuse(explain({ code: 'file-gone' })); return; }
  const other = PICTURES.find(([magic]) => head.startsWith(magic));
  if (other) { refuse(`The file must be xlsx, xls, xlsb, ods, csv, tsv or txt. This one is ${other[1]}.`); return; }
  pick.looking?.abort();
  Object.assign(pick, { file, key: newKey(), error: null, preview: null, options: {}, stored: null, looking: null });
  paint('chosen');
  say(`${file.name} is chosen`);
  look();
}

function refuse(words) {
  pick.error = { words };
  paint('error');
  say(words, true);
}

function forget() {
  pick.looking?.abort();
  Object.assign(pick, { file: null, key: null, error: null, preview: null, options: {}, looking: null });
}

/** Asks the server what it sees in the file; stores nothing. */
async function look() {
  if (!has('POST', '/api/files/preview')) return;
  pick.looking?.abort();
  const abort = new AbortController();
  pick.looking = abort;
  pick.preview = { state: 'looking', before: pick.preview?.result || pick.preview?.before };
  paint();
  try {
    const { sheet, header_row, template } = pick.options;
    const result = await send('/api/files/preview', pick.file, { sheet, header_row, template }, { signal: abort.signal });
    if (pick.looking !== abort) return;
    pick.preview = { state: 'seen', result };
  } catch (problem) {
    if (pick.looking !== abort) return;
    const missing = problem.status === 404 || problem.status === 405;
    pick.preview = missing || !(problem instanceof Problem) ? null : { state: 'failed', problem, before: pick.preview?.before };
    if (pick.preview) say(explain(problem, { file: true, size: pick.file.size }), true);
  }
  pick.looking = null;
  paint();
}

// ---- Sending

async function start(kind) {
  if (!pick.file || pick.sending) return;
  pick.error = null;
  if (kind === 'process' && isActive(live.job)) { busy(live.job, live.queue); return; }
  pick.looking?.abort();
  pick.looking = null;
  if (pick.preview?.state === 'looking') pick.preview = null;
  const abort = new AbortController();
  const sending = { kind, abort, sent: 0, total: pick.file.size, received: false, cancel: false, label: '0 %' };
  pick.sending = sending;
  paint('sending');
  const { file, key, options } = pick;
  const fields = { sheet: options.sheet, header_row: options.header_row };
  if (kind === 'process') Object.assign(fields, { template: options.template, on_duplicate: options.on_duplicate });
  try {
    await get('/api/auth/session'); // so that a session that ended asks before the file has gone, not after
    const answer = await send(kind === 'process' ? '/api/files/upload-and-process' : '/api/files/upload-json', file, fields, {
      // One key for each button: the same file stored and then processed is two requests.
      key: `${key}-${kind}`, signal: abort.signal,
      onProgress: (sent, total) => progress(sending, sent, total),
      onSent: () => { sending.received = true; sending.label = 'Received'; say('Received. Reading the file…'); paint(); },
    });
    pick.sending = null;
    if (sending.cancel) { await takeBack(kind, answer); return; }
    if (kind === 'process') {
      forget();
      watch.job = answer.job_id;
      watch.focus = true;
      poke();
      paint();
    } else {
      pick.stored = answer;
      forget();
      say(`Stored, ${count(answer.rows, 'row')}`);
      paint('stored');
    }
    uploaded();
  } catch (problem) {
    pick.sending = null;
    if (problem.name === 'AbortError') { say('Cancelled'); paint('chosen'); return; }
    if (problem.code === 'job-in-progress') { poke(); busy(problem.body.job, null, problem); return; }
    if (['idempotency-mismatch', 'unreadable-file', 'file-changed'].includes(problem.code)) pick.key = newKey();
    pick.error = { words: explain(problem, { file: true, size: file.size }), retry: ['offline', 'busy', 'internal', 'too-many-attempts'].includes(problem.code) ? kind : null, reload: problem.code === 'cross-origin', again: problem.code === 'file-changed' };
    if (problem.code === 'offline' && sending.sent > 0 && !sending.received) pick.error.words = `The connection broke at ${Math.floor((100 * sending.sent) / sending.total)} %. Your file is still chosen.`;
    say(pick.error.words, true);
    paint('error');
  }
}

function progress(sending, sent, total) {
  const before = Math.floor((4 * sending.sent) / sending.total);
  Object.assign(sending, { sent, total });
  sending.label = `${Math.floor((100 * sent) / total)} %`;
  const quarter = Math.floor((4 * sent) / total);
  if (quarter > before && quarter < 4) say(`Sending, ${quarter * 25} percent`);
  paint();
}

/** Cancelled after the last byte had gone: the server has it by now, so it is taken back there. */
async function takeBack(kind, answer) {
  try {
    if (kind === 'process') await post(`/api/jobs/${answer.job_id}/cancel`);
    else await remove(`/api/files/${answer.file_upload_id}`);
    say('Cancelled');
  } catch { /* it has ended by itself; the list shows how */ }
  poke();
  uploaded();
  paint('chosen');
}

function busy(job, queue, problem) {
  const words = explain(problem || { code: 'job-in-progress', body: { job: { ...job, queue_position: queue?.queue_position } } });
  pick.error = { words, showIt: true };
  say(words, true);
  paint('error');
}

// ---- The view

const watch = { job: null, focus: false }; // the job that this page has started or seen at work

export function addView({ onUploaded }) {
  uploaded = onUploaded;
  const input = h('input.vh', { type: 'file', accept: ACCEPT, tabindex: '-1', 'aria-label': 'File to add', onchange: () => { choose([...input.files]); input.value = ''; } });
  const chooser = button('Choose file', () => input.click(), { ico: 'file' });
  const limit = uploadBytesMax();
  const zone = h('div.zone', icon('up'), h('p', h('span', 'Drop an Excel or CSV file here, or '), input, chooser),
    h('p.hint', `xlsx, xls, xlsb, ods, csv or tsv${limit ? `, up to ${bytes(limit)}` : ''}. Nothing is stored until you press a button.`));
  const error = h('div');
  const chosen = h('div');
  const work = workCard();
  const element = h('section', { 'aria-labelledby': 'add-title' },
    h('div.head', h('h1', { id: 'add-title', tabindex: '-1' }, 'Add a file'),
      has('GET', '/api/templates/{name}/sample.xlsx') && link('Get the template (.xlsx)', `/api/templates/${TEMPLATE}/sample.xlsx`, { ico: 'down', download: true })),
    zone, error, chosen, work.element);

  let drawn = null; // which panel stands in `chosen`, so that progress does not rebuild it
  let update = () => {};
  paint = (focus) => {
    chooser.className = pick.file || isActive(live.job) ? '' : 'primary';
    const panel = pick.sending ? 'sending' : pick.file ? pick.preview || 'file' : pick.stored || null;
    const key = panel === 'file' || panel === 'sending' ? `${panel}${pick.key}` : panel;
    if (key !== drawn || focus === 'chosen') {
      drawn = key;
      update = () => {};
      if (!panel) fill(chosen);
      else if (pick.sending) update = sendingPanel(chosen);
      else if (pick.file) chosenPanel(chosen, () => input.click());
      else storedPanel(chosen);
    }
    update();
    if (!pick.error) fill(error);
    else if (focus === 'error') show(error, errorNote(pick.error, () => input.click()));
    if (focus && focus !== 'error') chosen.querySelector('h2')?.focus();
    noteBusy(chosen);
  };
  paint();
  if (pick.error) fill(error, errorNote(pick.error, () => input.click()));
  if (has('GET', '/api/templates') && !templates) {
    get('/api/templates').then((list) => { templates = list.templates; }, () => {});
  }
  const off = onChange(() => { work.update(); noteBusy(chosen); });
  work.update();
  return { element, close: () => { off(); work.close(); paint = () => {}; uploaded = () => {}; } };
}

function errorNote({ words, retry, reload, showIt, again }, open) {
  return note('bad', h('p', words), (retry || reload || showIt || again) && h('p.actions',
    retry && button('Try again', () => start(retry)),
    reload && button('Reload the page', () => location.reload()),
    again && button('Choose it again', open),
    showIt && button('Show it', () => { const card = document.getElementById('work'); card?.scrollIntoView({ block: 'nearest' }); card?.querySelector('h2')?.focus(); })));
}

function chosenPanel(place, open) {
  const { file, preview } = pick;
  fill(place, h('section.panel.chosen', { 'aria-label': 'The chosen file' },
    h('div.head', h('h2', { tabindex: '-1' }, h('span.name', file.name), h('span.hint', ` ${bytes(file.size)}`)),
      h('div.actions', button('Choose another', open, { kind: 'small' }), button('Remove', () => { forget(); paint(); document.querySelector('.zone button')?.focus(); say('Nothing is chosen'); }, { kind: 'small', 'aria-label': `Remove ${file.name}` }))),
    preview?.state === 'looking' && h('p.looking', icon('work'), 'Looking into the file…'),
    preview?.state === 'failed' && note('bad', h('p', explain(preview.problem, { file: true, size: file.size }))),
    (preview?.result || preview?.before) && previewPanel(preview.result || preview.before, preview.state !== 'seen'),
    optionsPanel(),
    h('div', { id: 'busy-note' }),
    h('div.actions.main',
      button('Upload & Process Now', () => start('process'), { kind: 'primary', ico: 'up' }),
      button('Upload as JSON', () => start('json')),
      h('p.hint', '“Upload as JSON” stores the rows only; you can process them later.'))));
}

/** With a job in work the file can be stored, not processed: said before the button is pressed. */
function noteBusy(place) {
  const spot = place.querySelector('#busy-note');
  if (!spot) return;
  const job = isActive(live.job) ? live.job : null;
  const words = job ? `${job.filename} is in work. You can store this file now and process it when that is done.` : '';
  if (spot.textContent !== words) fill(spot, words && note('info', words));
}

function optionsPanel() {
  const options = pick.options;
  const several = templates && templates.length > 0;
  const template = several && h('select', { onchange: () => { options.template = template.value; pick.key = newKey(); look(); } },
    templates.map((t) => h('option', { value: t.name, selected: t.name === (options.template || TEMPLATE) }, t.title || t.name)),
    h('option', { value: 'auto', selected: options.template === 'auto' }, 'No template: work it out from the file'));
  const group = newId('twice');
  const choice = (value, label) => h('label', h('input', { type: 'radio', name: group, value, checked: (options.on_duplicate || 'skip') === value, onchange: () => { options.on_duplicate = value; pick.key = newKey(); } }), label);
  return h('details.options', { open: options.open, ontoggle: (event) => { options.open = event.target.open; } }, h('summary', 'Options for processing'),
    several && field('Check the rows against', template),
    h('fieldset', h('legend', 'A row that is already in the list'), choice('skip', 'Leave the list as it is'), choice('update', 'Update the list with what the file has')));
}

function previewPanel(seen, stale) {
  const { mapping = [], missing = [], rows = [] } = seen;
  const sheets = (seen.sheets || []).map((sheet) => (typeof sheet === 'string' ? { name: sheet } : sheet));
  const names = rows.length && Array.isArray(rows[0]) ? mapping.map((m) => m.column) : Object.keys(rows[0] || {});
  const value = (row, name, i) => (Array.isArray(row) ? row[i] : row[name]);
  const example = (name) => { const i = names.indexOf(name); const row = rows.find((r) => cell(value(r, name, i)) !== '–'); return row ? cell(value(row, name, i)) : '–'; };
  const again = (changes) => { Object.assign(pick.options, changes); pick.key = newKey(); look(); };
  const current = pick.options.sheet || seen.sheet || sheets.find((s) => s.rows > 0 && !s.hidden)?.name || sheets[0]?.name;
  const sheetPick = sheets.length > 1 && h('select', { onchange: () => again({ sheet: sheetPick.value, header_row: null }) },
    sheets.map((s) => h('option', { value: s.name, selected: s.name === current }, `${s.name}${typeof s.rows === 'number' ? ` (${s.rows ? count(s.rows, 'row') : 'empty'}${s.hidden ? ', hidden' : ''})` : ''}`)));
  const header = h('input.short', { type: 'number', min: '1', max: '1048576', value: String(seen.header_row ?? 1), onchange: () => { if (header.value >= 1) again({ header_row: Math.floor(header.value) }); } });
  const matched = mapping.filter((m) => m.field && m.how !== 'none');
  const easy = matched.length > 0 && matched.length === mapping.length && mapping.every((m) => m.how === 'exact') && !missing.length;
  const textual = [seen.encoding && `${seen.encoding} text`, seen.delimiter && `separator ${seen.delimiter === '\t' ? 'Tab' : seen.delimiter}`].filter(Boolean).join(' · ');
  const notices = seen.notices || [];
  return h('div.preview', { 'aria-busy': stale ? 'true' : null },
    h('div.row', sheetPick && field('Sheet', sheetPick), !sheetPick && sheets[0]?.name && h('p', h('span.hint', 'Sheet '), sheets[0].name), field('Headers are in row', header), textual && h('p.hint', textual)),
    mapping.length > 0 && h('details.map', { open: !easy }, h('summary', easy ? `All ${count(mapping.length, 'column')} recognised` : `${num(matched.length)} of ${count(mapping.length, 'column')} recognised`),
      table('How the columns are understood', [{ label: 'Column in your file' }, { label: 'Field' }, { label: 'How' }, { label: 'Example', cls: 'sample' }],
        mapping.map((m) => [m.column, m.field && m.how !== 'none' ? m.field : '–', howWord(m.how), example(m.column)]), { hideCaption: true })),
    missing.map((name) => note('warn', `“${name}” is needed, and no column was matched to it.`)),
    notices.length > 0 && h('details', h('summary', `${count(notices.length, 'thing')} to know`), h('ul', notices.map((n) => h('li', n.cell && `${n.cell}: `, n.message)))),
    rows.length > 0 && h('details', h('summary', rows.length === 1 ? 'The only row' : `First ${num(rows.length)} rows`),
      table('First rows of the file', names.map((label) => ({ label })), rows.map((row) => names.map((name, i) => cell(value(row, name, i)))), { cls: 'data', hideCaption: true })));
}

function sendingPanel(place) {
  const sending = pick.sending;
  const words = h('p.status');
  const bar = h('progress', { max: '100', 'aria-label': `Sending ${pick.file.name}` });
  const stop = button('Cancel', () => {
    if (!sending.received) { sending.abort.abort(); return; }
    sending.cancel = true;
    paint();
  });
  fill(place, h('section.panel', { 'aria-label': 'Sending' }, h('h2', { tabindex: '-1' }, h('span.name', pick.file.name)), bar, h('div.head', words, stop)));
  const name = pick.file.name;
  return () => {
    if (sending.cancel) { text(words, 'Cancelling…'); attr(stop, 'aria-disabled', 'true'); } else if (sending.received) {
      text(words, 'Received. Reading the file…');
      bar.removeAttribute('value');
    } else {
      text(words, `Sending ${name} · ${sending.label} · ${bytes(sending.sent)} of ${bytes(sending.total)}`);
      bar.value = (100 * sending.sent) / sending.total;
    }
  };
}

function storedPanel(place) {
  const stored = pick.stored;
  const problem = h('div');
  const sheets = stored.sheets?.length > 1 ? ` in ${count(stored.sheets.length, 'sheet')}` : '';
  fill(place, h('section.panel', { 'aria-label': 'Stored' },
    h('div.head', h('h2', { tabindex: '-1' }, badge(stateOf(null)), ' ', h('span.name', stored.filename)), button('Hide', () => { pick.stored = null; paint(); document.querySelector('.zone button')?.focus(); }, { kind: 'small' })),
    h('p', `${count(stored.rows, 'row')} stored${sheets} · not processed`),
    stored.duplicate_of && h('p', 'You added this same file before. ', link('Show it', `#/file/${stored.duplicate_of}`)),
    problem,
    h('div.actions', button('Process now', async () => {
      try { await processStored(stored.file_upload_id); pick.stored = null; paint(); } catch (error) { show(problem, note('bad', explain(error))); say(explain(error), true); }
    }, { kind: 'primary' }), link('View rows', `#/file/${stored.file_upload_id}`, { class: 'button' }))));
}

/** Processes a file that was stored before, and watches it. */
export async function processStored(id, options = {}) {
  const answer = await post(`/api/files/${encodeURIComponent(id)}/process`, options);
  watch.job = answer.job_id;
  watch.focus = true;
  poke();
  uploaded();
  return answer;
}

// ---- The job at work

const STEPS = [['reading', 'Reading'], ['validating', 'Checking rows'], ['saving', 'Saving']];

/** The card of the user's newest job: shown while it is active, and until it is hidden when this page saw it end. */
function workCard() {
  const place = h('div', { id: 'work' });
  let shown = null; // job and kind of what stands in the card
  let said = '';
  let parts = null;
  let quiet = 0;
  let hidden = null;

  function announce(job, words, urgent) {
    const key = `${job.job_id} ${words}`;
    if (key !== said) { said = key; say(words, urgent); }
  }

  function active(job) {
    const title = h('h2', { tabindex: '-1' }, h('span.name', job.filename));
    const state = h('span');
    const words = h('p.status');
    const bar = h('progress', { max: '100', 'aria-label': `Progress of ${job.filename}` });
    const steps = STEPS.map(([phase, label]) => h('li', { 'data-phase': phase }, label));
    const restarted = h('p.hint');
    const problem = h('div');
    const stop = button('Cancel', async () => {
      attr(stop, 'aria-disabled', 'true');
      try { await post(`/api/jobs/${job.job_id}/cancel`); markStopping(job.job_id); poke(); } catch (error) {
        attr(stop, 'aria-disabled', null);
        if (error.code === 'not-active') { poke(); return; }
        show(problem, note('bad', explain(error)));
        say(explain(error), true);
      }
    }, { 'aria-label': `Cancel ${job.filename}` });
    fill(place, h('section.panel.work', { 'aria-label': 'In work' },
      h('div.head', h('div', title, state), stop), bar, h('ol.steps', steps), words, restarted, problem, h('p.hint', 'You can close this page; the work goes on.')));
    parts = { state, words, bar, steps, stop, restarted, badge: '' };
  }

  function refreshActive(job, queue) {
    const state = stateOf(job);
    if (parts.badge !== state.word) { parts.badge = state.word; fill(parts.state, badge(state)); }
    const progressing = job.status === 'processing';
    const p = job.progress || {};
    const total = typeof p.rows_total === 'number' && p.rows_total > 0;
    if (progressing && typeof p.percent === 'number' && (total || p.percent > 0)) parts.bar.value = p.percent;
    else parts.bar.removeAttribute('value');
    parts.bar.hidden = !progressing;
    const at = STEPS.findIndex(([phase]) => phase === p.phase);
    parts.steps.forEach((step, i) => {
      step.className = !progressing ? '' : p.phase === 'done' || i < at ? 'past' : i === at ? 'now' : '';
      attr(step, 'aria-current', progressing && i === at ? 'step' : null);
    });
    attr(parts.stop, 'aria-disabled', job.cancel_requested ? 'true' : null);
    text(parts.restarted, job.attempt > 1 || (job.status === 'pending' && job.started) ? 'The server was restarted; your file starts again from the beginning.' : '');
    if (!progressing) {
      const where = waiting(queue);
      text(parts.words, where || 'Waiting');
      announce(job, `Waiting${where ? `, ${where.split(' · about')[0]}` : ''}`);
      return;
    }
    if (job.cancel_requested) { text(parts.words, 'Stopping after this batch'); announce(job, 'Stopping'); return; }
    const silent = Math.floor((Date.now() - live.changedAt) / 1000);
    const rows = total ? `${num(p.rows_done)} of ${count(p.rows_total, 'row')}` : p.rows_done ? count(p.rows_done, 'row') : '';
    text(parts.words, [phaseWord(p.phase), rows, typeof p.percent === 'number' && total && `${p.percent} %`, live.rate >= 1 && `${num(Math.round(live.rate))} rows/s`,
      silent > 10 && live.online && `No news for ${silent} s; still trying`].filter(Boolean).join(' · '));
    const quarter = Math.floor((p.percent || 0) / 25) * 25;
    announce(job, quarter && quarter < 100 ? `Working, ${quarter} percent` : 'Working');
  }

  async function finished(job) {
    let whole = job;
    try { whole = { ...job, ...(await get(`/api/jobs/${job.job_id}`)).job }; } catch { /* what the status says is enough */ }
    if (live.job?.job_id !== job.job_id || isActive(live.job) || hidden === job.job_id) return;
    const state = stateOf(whole);
    const words = outcome(whole);
    const good = whole.status === 'completed';
    const hide = () => { hidden = job.job_id; watch.job = null; shown = null; fill(place); document.querySelector('.zone button')?.focus(); };
    const problem = h('div');
    fill(place, h(`section.panel.work.${state.tone}`, { 'aria-label': 'Result' },
      h('div.head', h('div', h('h2', { tabindex: '-1' }, h('span.name', job.filename)), h('span', badge(state))), button('Hide', hide, { kind: 'small' })),
      words && h('p.status', words, good && whole.started && whole.finished && h('span.hint', ` · took ${duration((Date.parse(whole.finished) - Date.parse(whole.started)) / 1000)}`)),
      problem,
      h('div.actions',
        good && link('Report', `#/job/${job.job_id}`, { class: 'button primary' }),
        good && whole.counts?.invalid > 0 && has('GET', '/api/jobs/{id}/repair.xlsx') && link('Rows to fix (.xlsx)', `/api/jobs/${job.job_id}/repair.xlsx`, { class: 'button', download: true, ico: 'down' }),
        whole.error?.code === 'missing-columns' && link('What was found', `#/job/${job.job_id}`, { class: 'button' }),
        !good && button(whole.status === 'cancelled' ? 'Process it after all' : 'Try again', async () => {
          try { const next = await post(`/api/jobs/${job.job_id}/retry`); watch.job = next.job_id; watch.focus = true; poke(); uploaded(); } catch (error) { show(problem, note('bad', explain(error))); say(explain(error), true); }
        }))));
    announce(job, good ? (whole.counts ? `Done, ${whole.counts.invalid ? `${count(whole.counts.invalid, 'row')} to fix` : `${count(whole.counts.valid, 'row')} stored`}` : 'Done') : `${state.word}. ${words}`, !good && whole.status !== 'cancelled');
    uploaded();
  }

  function update() {
    const { job, queue } = live;
    if (!job) { if (shown) fill(place); shown = null; return; }
    if (isActive(job)) {
      const fresh = shown !== `${job.job_id} active`;
      if (fresh) { active(job); shown = `${job.job_id} active`; if (watch.job !== job.job_id) watch.job = job.job_id; uploaded(); }
      refreshActive(job, queue);
      if (fresh && watch.focus) { watch.focus = false; place.querySelector('h2').focus(); }
      if (!quiet) quiet = setInterval(() => { if (parts && isActive(live.job)) refreshActive(live.job, live.queue); }, 1000);
      return;
    }
    clearInterval(quiet);
    quiet = 0;
    // A job that ended before this page was opened is in the list; only one that was watched keeps its card.
    if (watch.job === job.job_id && shown !== `${job.job_id} ended`) { shown = `${job.job_id} ended`; watch.focus = false; finished(job); } else if (watch.job !== job.job_id) { if (shown) fill(place); shown = null; }
  }
  return { element: place, update, close: () => clearInterval(quiet) };
}

