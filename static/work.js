// The card of the user's newest job: while it waits or is worked on, and until it is hidden when this page saw it end.

import { get } from './api.js';
import { act, attr, badge, button, download, fill, h, link, say, text } from './dom.js';
import { cancel, downloads, retry, watched } from './jobs.js';
import { live, onChange } from './live.js';
import { count, dots, duration, isActive, num, outcome, stage, stateOf, waiting } from './words.js';

const STEPS = [['reading', 'Reading'], ['validating', 'Checking rows'], ['saving', 'Saving']];

export function workCard({ onEnd }) {
  const element = h('div', { id: 'work' });
  let shown = ''; // what stands in the card: a job's id and whether it is active
  let said = '';
  let parts = null;

  function announce(job, words, urgent) {
    const key = `${job.job_id} ${words}`;
    if (key !== said) { said = key; say(words, urgent); }
  }

  function begin(job) {
    const stop = button('Cancel', () => act(stop, () => cancel(job)), { 'aria-label': `Cancel ${job.filename}` });
    parts = {
      stop, state: h('span'), words: h('p.status'), restarted: h('p.hint'),
      bar: h('progress', { max: '100', 'aria-label': `Progress of ${job.filename}` }),
      steps: STEPS.map(([phase, label]) => h('li', { 'data-phase': phase }, label)),
    };
    fill(element, h('section.panel', { 'aria-label': 'In work' },
      h('div.head', h('div', h('h2.name', { tabindex: '-1' }, job.filename), parts.state), stop),
      parts.bar, h('ol.steps', parts.steps), parts.words, parts.restarted, h('p.hint', 'You can close this page; the work goes on.')));
  }

  function refresh() {
    const { job, queue } = live;
    if (!isActive(job) || shown !== `${job.job_id} active`) return;
    const working = job.status === 'processing';
    const p = job.progress || {};
    const state = stateOf(job);
    if (parts.state.textContent !== state.word) fill(parts.state, badge(state));
    if (working && p.percent > 0) parts.bar.value = p.percent; else parts.bar.removeAttribute('value');
    parts.bar.hidden = !working;
    const at = STEPS.findIndex(([phase]) => phase === p.phase);
    parts.steps.forEach((step, i) => {
      step.className = !working ? '' : p.phase === 'done' || i < at ? 'past' : i === at ? 'now' : '';
      attr(step, 'aria-current', step.className === 'now' && 'step');
    });
    attr(parts.stop, 'aria-disabled', Boolean(job.cancel_requested));
    text(parts.restarted, !working && job.started ? 'The server was restarted; your file starts again from the beginning.' : '');
    if (!working) {
      const where = waiting(queue);
      text(parts.words, where);
      announce(job, where === 'Waiting' ? where : `Waiting, ${where.split(' · about')[0]}`);
    } else if (job.cancel_requested) {
      text(parts.words, 'Stopping after this batch');
      announce(job, 'Stopping');
    } else {
      const silent = Math.floor((Date.now() - live.changedAt) / 1000);
      const rows = p.rows_total ? `${num(p.rows_done)} of ${count(p.rows_total, 'row')}` : p.rows_done ? count(p.rows_done, 'row') : '';
      text(parts.words, dots(stage(job), rows, live.rate >= 1 && `${num(Math.round(live.rate))} rows/s`, silent > 10 && live.online && `no news for ${silent} s; still trying`));
      const quarter = Math.floor((p.percent || 0) / 25) * 25;
      announce(job, quarter && quarter < 100 ? `Working, ${quarter} percent` : 'Working');
    }
  }

  async function end(job) {
    let whole = job;
    try { ({ job: whole } = await get(`/api/jobs/${job.job_id}`)); } catch { /* what the status says is enough */ }
    if (shown !== `${job.job_id} ended`) return;
    const state = stateOf(whole);
    const words = outcome(whole);
    const good = whole.status === 'completed';
    const hide = () => { watched.id = null; shown = ''; fill(element); document.querySelector('.zone button')?.focus(); };
    const [best] = downloads(whole);
    fill(element, h('section.panel', { 'aria-label': 'Result' },
      h('div.head', h('div', h('h2.name', { tabindex: '-1' }, job.filename), badge(state)), button('Hide', hide, { kind: 'small' })),
      words && h('p.status', words, good && whole.started && h('span.hint', ` · took ${duration((Date.parse(whole.finished) - Date.parse(whole.started)) / 1000)}`)),
      h('div.actions',
        (good || whole.error?.code === 'missing-columns') && link(good ? 'Report' : 'What was found', `#/job/${job.job_id}`, { kind: 'button primary' }),
        best && download(best[0], best[1], { kind: 'button', ico: 'down' }),
        !good && button(whole.status === 'cancelled' ? 'Process it after all' : 'Try again', (event) => act(event.target, () => retry(job))))));
    announce(job, good ? `Done, ${whole.counts?.invalid ? `${count(whole.counts.invalid, 'row')} to fix` : `${count((whole.counts?.valid || 0) + (whole.counts?.updated || 0), 'row')} stored`}` : dots(state.word, words), !good && whole.status !== 'cancelled');
    onEnd();
  }

  function update() {
    const { job } = live;
    const now = job && isActive(job) ? `${job.job_id} active` : job && watched.id === job.job_id ? `${job.job_id} ended` : '';
    if (now !== shown) {
      shown = now;
      if (!now) fill(element);
      else if (isActive(job)) {
        begin(job);
        watched.id = job.job_id;
        onEnd();
      } else end(job);
      if (now && watched.focus && isActive(job)) { watched.focus = false; element.querySelector('h2').focus(); }
    }
    refresh();
  }
  const off = onChange(update);
  const timer = setInterval(refresh, 1000); // "no news for 14 s" counts by itself
  update();
  return { element, close: () => { off(); clearInterval(timer); } };
}
