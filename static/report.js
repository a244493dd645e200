// The report on a job: what happened, what to fix, how full the columns are, what was changed, what can be taken away.

import { get, has, post } from './api.js';
import { ask, badge, button, fill, h, icon, link, note, say, table } from './dom.js';
import { live, markStopping, onChange, poke } from './live.js';
import { back } from './uploads.js';
import { cell, clock, count, duration, explain, howWord, isActive, num, outcome, percent, phaseWord, ruleWord, stateOf, time, waiting } from './words.js';

const PAGE = 20;

export function reportView(_, id) {
  const element = h('div', h('h1', { tabindex: '-1' }, 'Report'), h('p.empty', 'Loading…'));
  let shown = '';
  const path = `/api/jobs/${encodeURIComponent(id)}`;

  async function load() {
    let job;
    try { ({ job } = await get(path)); } catch (problem) {
      fill(element, back(), h('h1', { tabindex: '-1' }, 'Report'), note('bad', problem.code === 'not-found' ? 'This job is gone, or it belongs to somebody else.' : explain(problem)));
      return;
    }
    job = { ...job, job_id: job.job_id ?? job.id };
    shown = job.status;
    document.title = `${job.filename} – Sheetline`;
    let report = null;
    let problem = null;
    if (job.status === 'completed' || job.error?.code === 'missing-columns') {
      try { report = await get(`${path}/report`); } catch (error) { problem = error; }
    }
    draw(element, job, report, problem, load);
  }

  const off = onChange(() => {
    if (live.job?.job_id !== Number(id) || !shown) return;
    if (live.job.status !== shown) { shown = live.job.status; load(); return; }
    if (isActive(live.job)) {
      const words = element.querySelector('.status');
      const bar = element.querySelector('progress');
      if (words) words.textContent = activeWords(live.job);
      if (bar && typeof live.job.progress?.percent === 'number') bar.value = live.job.progress.percent;
    }
  });
  load();
  return { title: 'Report', element, close: off };
}

const activeWords = (job) => (job.status === 'pending' ? (live.job?.job_id === job.job_id && waiting(live.queue)) || 'Waiting'
  : [phaseWord(job.progress?.phase), typeof job.progress?.percent === 'number' && `${job.progress.percent} %`].filter(Boolean).join(' · '));

function draw(element, job, report, problem, reload) {
  const seconds = report?.stats?.seconds ?? (job.finished && job.started ? (Date.parse(job.finished) - Date.parse(job.started)) / 1000 : null);
  const heading = [
    back(),
    h('div.head', h('h1.name', { tabindex: '-1' }, job.filename), badge(stateOf(job))),
    h('p.lead', job.finished && h('span', 'finished ', time(job.finished)), typeof seconds === 'number' && `, took ${duration(seconds)}`, `${job.finished ? ', ' : ''}job ${job.job_id}`, job.template && `, checked as ${job.template}`),
  ];
  if (isActive(job)) {
    fill(element, heading, h('progress', { max: '100', 'aria-label': `Progress of ${job.filename}` }), h('p.status', activeWords(job)),
      h('div.actions', button('Cancel', async () => { try { await post(`/api/jobs/${job.job_id}/cancel`); markStopping(job.job_id); poke(); } catch (error) { say(explain(error), true); reload(); } })), history(job));
    return;
  }
  const place = h('div');
  if (!report) {
    fill(element, heading, outcome(job) && h('p', outcome(job)), problem && note('bad', explain(problem)), place,
      h('div.actions', button(job.status === 'cancelled' ? 'Process it after all' : 'Try again', () => attempt(place, async () => { await post(`/api/jobs/${job.job_id}/retry`); poke(); location.hash = '#/'; }), { kind: 'primary' }),
        job.file_upload_id && link('The file', `#/file/${job.file_upload_id}`, { class: 'button' })), history(job));
    return;
  }
  const listed = problemList(report);
  fill(element, heading, summary(job, report), job.status === 'failed' && note('bad', outcome(job)), place, downloads(job, report, place, reload),
    report.errors?.length ? h('div.split', listed.rules, completeness(report)) : completeness(report),
    listed.element, changes(job), mapping(report), history(job));
}

/** Runs something; what goes wrong stands in `place`. */
async function attempt(place, work) {
  try { await work(); } catch (problem) { fill(place, note('bad', explain(problem))); say(explain(problem), true); }
}

// ---- In one line, and as one bar

function summary(job, report) {
  const c = job.counts || report.stats;
  const parts = [
    ['valid', 'ok', (n) => `${num(n)} stored new`], ['updated', 'info', (n) => `${num(n)} updated`],
    ['duplicates', 'calm', (n) => `${num(n)} already there`], ['invalid', 'warn', (n) => `${num(n)} to fix`],
  ].filter(([key]) => c[key] > 0);
  const bar = h('div.parts', { 'aria-hidden': 'true' }, parts.map(([key, tone]) => {
    const part = h(`span.${tone}`);
    part.style.flexGrow = c[key];
    return part;
  }));
  return h('div.summary', job.undone_at && note('info', h('span', 'This import was taken out of the list again, ', time(job.undone_at), '.')),
    h('p.sum', `${count(c.rows, 'row')} in the file`, parts.length > 0 && ': ', parts.map(([key, tone, words], i) => [i > 0 && ' · ', h(`span.key.${tone}`, words(c[key]))])), parts.length > 0 && bar);
}

function downloads(job, report, place, reload) {
  const to = (file) => `/api/jobs/${job.job_id}/${file}`;
  const offered = (file) => has('GET', `/api/jobs/{id}/${file}`);
  const done = job.status === 'completed';
  const toFix = report.stats?.invalid > 0;
  const get_ = (label, file, primary) => link(label, to(file), { class: primary ? 'button primary' : 'button', download: true, ico: 'down' });
  return h('div.actions.noprint',
    done && toFix && offered('repair.xlsx') && get_('Rows to fix (.xlsx)', 'repair.xlsx', true),
    done && offered('records.xlsx') && get_('Clean list (.xlsx)', 'records.xlsx', !toFix || !offered('repair.xlsx')),
    done && get_('Clean list (.csv)', 'records.csv', !offered('records.xlsx')),
    done && link('JSON', to('records.json'), { class: 'button', download: true }),
    done && link('NDJSON', to('records.ndjson'), { class: 'button', download: true }),
    done && offered('annotated.xlsx') && link('Marked copy (.xlsx)', to('annotated.xlsx'), { class: 'button', download: true }),
    job.file_upload_id && link('The file', `#/file/${job.file_upload_id}`, { class: 'button' }),
    button('Print', () => print()),
    done && !job.undone_at && has('POST', '/api/jobs/{id}/undo') && button('Undo this import…', async () => {
      const yes = await ask({ title: `Undo the import of ${job.filename}?`, body: 'What it added to the list is taken out again, and what it updated is put back. The file stays.', yes: 'Undo this import', no: 'Leave it' });
      if (yes) await attempt(place, async () => { await post(to('undo')); say('The import is undone'); await reload(); });
    }, { ico: 'undo' }));
}

// ---- Problems: by rule, and row by row

/** By rule and column where all errors are listed, by rule alone where there are more than the report lists. */
function groupsOf(report) {
  const errors = report.errors || [];
  const whole = errors.length >= (report.errors_total ?? errors.length);
  if (!whole) return Object.entries(report.errors_by_type || {}).map(([type, n]) => ({ label: ruleWord(type), n, test: (e) => e.type === type }));
  const groups = new Map();
  for (const error of errors) {
    const key = `${error.type} ${error.field ?? ''}`;
    if (!groups.has(key)) groups.set(key, { n: 0, messages: new Set(), first: error, test: (e) => e.type === error.type && e.field === error.field });
    const group = groups.get(key);
    group.n += 1;
    group.messages.add(error.message);
  }
  return [...groups.values()].map((g) => ({ ...g, label: g.messages.size === 1 ? g.first.message.replace(/\.$/, '') : `${g.first.field ? `${g.first.field}: ` : ''}${g.first.field ? ruleWord(g.first.type).replace(/^./, (c) => c.toLowerCase()) : ruleWord(g.first.type)}` })).sort((a, b) => b.n - a.n);
}

function problemList(report) {
  const errors = report.errors || [];
  if (!errors.length) return { rules: null, element: note('ok', 'Nothing to fix.') };
  const groups = groupsOf(report);
  const total = report.errors_total ?? errors.length;
  let chosen = null;
  let from = 0;
  const listing = h('div');
  const buttons = groups.map((group) => h('button', { type: 'button', class: 'rule', 'aria-pressed': 'false', onclick: () => choose(chosen === group ? null : group) }, h('span', group.label), h('span.num', num(group.n))));
  const all = button('Show all', () => choose(null), { kind: 'small' });
  function choose(group) {
    chosen = group;
    from = 0;
    groups.forEach((g, i) => buttons[i].setAttribute('aria-pressed', String(g === chosen)));
    list();
    say(`${count(chosen ? chosen.n : total, 'problem')}${chosen ? `: ${chosen.label}` : ''}`);
  }
  function list() {
    const hits = chosen ? errors.filter(chosen.test) : errors;
    const part = hits.slice(from, from + PAGE);
    const turn = (step) => { from += step; list(); listing.querySelector('.scroll').focus(); };
    fill(listing,
      h('div.head', h('h2', 'Rows to fix'), h('div.tools', chosen && all,
        h('span.hint', `${num(from + 1)}–${num(from + part.length)} of ${num(chosen ? chosen.n : total)}`),
        hits.length > PAGE && [button('‹', () => turn(-PAGE), { kind: 'small', 'aria-label': 'Earlier', disabled: from === 0 }), button('›', () => turn(PAGE), { kind: 'small', 'aria-label': 'Later', disabled: from + PAGE >= hits.length })])),
      table('Rows to fix', [{ label: 'Row', num: true }, { label: 'Cell' }, { label: 'Column' }, { label: 'In your file', cls: 'sample' }, { label: 'What is wrong', cls: 'wide' }],
        part.map((e) => [num(e.row), e.cell || e.column || '–', e.field || '–', h('span.raw', cell(e.value)), e.message]), { hideCaption: true }),
      total > errors.length && h('p.hint', `The first ${num(errors.length)} of ${num(total)} problems are listed here; the marked copy and the rows to fix have all of them.`));
  }
  list();
  return {
    rules: h('section', { 'aria-labelledby': 'fix-title' }, h('h2', { id: 'fix-title' }, 'What needs fixing'), h('div.rules', { role: 'group', 'aria-labelledby': 'fix-title' }, buttons)),
    element: h('section', listing),
  };
}

function completeness(report) {
  const columns = report.columns || [];
  if (!columns.length) return null;
  const rows = report.stats?.rows || 0;
  const errors = report.errors || [];
  const exactCounts = errors.length >= (report.errors_total ?? errors.length);
  const problems = (name) => errors.filter((e) => e.field === name).length;
  const share = (filled) => (Number.isInteger(filled) ? (rows ? filled / rows : 0) : filled);
  const meter = (c) => {
    const inner = h('span');
    inner.style.width = `${100 * Math.min(1, share(c.filled || 0))}%`;
    return h('span.meter', { 'aria-hidden': 'true' }, inner);
  };
  const range = (c) => (c.min !== null && c.min !== undefined ? `${cell(c.min)} – ${cell(c.max)}` : '');
  const top = (c) => (c.top || []).slice(0, 3).map((t) => (Array.isArray(t) ? `${cell(t[0])} (${num(t[1])})` : t && typeof t === 'object' ? `${cell(t.value)} (${num(t.count)})` : cell(t))).join(', ');
  const detailed = columns.some((c) => c.distinct !== undefined || c.top?.length);
  return h('section', h('h2', 'How full the columns are'),
    table('How full the columns are', [{ label: 'Column' }, { label: 'Filled', cls: 'fill' }, { label: exactCounts ? 'Problems' : 'Problems listed', num: true }],
      columns.map((c) => [c.name, h('span.filled', meter(c), h('span', percent(share(c.filled || 0), 1))), num(problems(c.name))]), { hideCaption: true }),
    detailed && h('details', h('summary', 'What is in them'), table('What is in the columns', [{ label: 'Column' }, { label: 'Kind' }, { label: 'Different', num: true }, { label: 'Smallest – largest', cls: 'sample' }, { label: 'Most frequent', cls: 'wide' }],
      columns.map((c) => [c.name, c.type || '–', num(c.distinct), range(c) || '–', top(c) || '–']), { hideCaption: true })));
}

// ---- What was changed on the way in, how columns were matched, what the job went through

function changes(job) {
  if (job.status !== 'completed' || !has('GET', '/api/jobs/{id}/changes')) return null;
  const place = h('div');
  const body = h('tbody');
  let cursor = null;
  let loaded = 0;
  const more = button('Show more', () => load());
  async function load() {
    await attempt(place, async () => {
      const answer = await get(`/api/jobs/${job.job_id}/changes?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
      if (!loaded && answer.changes.length) fill(place, withBody(body));
      if (!loaded && !answer.changes.length) fill(place, h('p.empty', 'No value was changed.'));
      loaded += answer.changes.length;
      body.append(...answer.changes.map((c) => h('tr', h('td', c.cell), h('td.sample', h('span.raw', cell(c.original))), h('td.sample', h('span.raw', cell(c.stored))), h('td', c.rule))));
      cursor = answer.next_cursor;
      more.hidden = !cursor;
    });
  }
  more.hidden = true;
  const box = h('details', { ontoggle: () => { if (box.open && !loaded) load(); } }, h('summary', 'Values that were changed on the way in'), place, more);
  return box;
}

function withBody(body) {
  const box = table('Changed values', [{ label: 'Cell' }, { label: 'In your file' }, { label: 'Stored' }, { label: 'Rule' }], [], { hideCaption: true });
  box.querySelector('tbody').replaceWith(body);
  return box;
}

function mapping(report) {
  if (!report.mapping?.length) return null;
  return h('details', h('summary', 'How the columns were understood'), table('Columns', [{ label: 'Column in your file' }, { label: 'Field' }, { label: 'How' }],
    report.mapping.map((m) => [m.column ?? '–', m.field && m.how !== 'none' ? m.field : '–', howWord(m.how)]), { hideCaption: true }));
}

const STATE_WORDS = { pending: 'waiting', processing: 'in work', completed: 'done', failed: 'failed', timeout: 'stopped, took too long', cancelled: 'cancelled' };

function history(job) {
  if (!job.events?.length) return null;
  return h('details.noprint', h('summary', 'What the job went through'), h('ol.events', job.events.map((e) => h('li', h('time', { datetime: e.at, title: new Date(e.at).toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'long' }) }, clock(e.at)), ` ${STATE_WORDS[e.to] || e.to}`, e.attempt > 1 && ` (attempt ${e.attempt})`, e.detail && `: ${e.detail}`))));
}
