// The office's clean list: every record of all completed jobs, with its source; searched and paged.

import { get, has } from './api.js';
import { button, fill, h, note, say, table } from './dom.js';
import { cell, count, explain, num } from './words.js';

const PAGE = 50;

export function recordsView() {
  const before = []; // cursors of the pages that were left behind
  let cursor = null;
  let next = null;
  let turn = 0;
  let typing = 0;
  let titles = {};
  const search = h('input', { type: 'search', 'aria-label': 'Search the list', placeholder: 'Search…', oninput: () => { clearTimeout(typing); typing = setTimeout(restart, 250); } });
  const template = h('select', { 'aria-label': 'Template', onchange: () => restart(), hidden: true }, h('option', { value: 'companies' }, 'companies'));
  const place = h('div', h('p.empty', 'Loading…'));
  const element = h('div', h('div.head', h('h1', { tabindex: '-1' }, 'Records'), h('div.tools', template, search)), place);

  function restart() { before.length = 0; cursor = null; load(); }

  async function load(focus) {
    turn += 1;
    const mine = turn;
    const words = search.value.trim();
    try {
      const answer = await get(`/api/records?template=${encodeURIComponent(template.value)}&limit=${PAGE}${words ? `&q=${encodeURIComponent(words)}` : ''}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
      if (mine !== turn) return;
      next = answer.next_cursor;
      draw(answer.records, words);
      if (focus) place.querySelector('.scroll')?.focus();
    } catch (problem) {
      if (mine === turn) fill(place, note('bad', explain(problem), ' ', button('Try again', () => load(), { kind: 'small' })));
    }
  }

  function draw(records, words) {
    if (!records.length) {
      fill(place, h('p.empty', words ? `Nothing in the list has “${words}”.` : 'The list is empty. It fills with the good rows of every file that is processed.'));
      if (words) say('Nothing found');
      return;
    }
    const fields = [...new Set(records.flatMap((record) => Object.keys(record.data)))];
    const rows = records.map((record) => [...fields.map((name) => value(record.data[name])), h('span', record.file, h('span.hint', ` row ${num(record.row)}`)), record.uploader]);
    const first = before.length * PAGE + 1;
    fill(place, table('Records', [...fields.map((name) => ({ label: titles[name] || name, cls: 'sample' })), { label: 'From' }, { label: 'Added by' }], rows, { cls: 'data', hideCaption: true }),
      h('div.pager', button('‹ Previous', () => { cursor = before.pop() ?? null; load(true); }, { disabled: !before.length }),
        h('span.hint', `${num(first)}–${num(first + records.length - 1)}`),
        button('Next ›', () => { before.push(cursor); cursor = next; load(true); }, { disabled: !next })));
    if (words) say(`${count(records.length, 'record')}${next ? ' and more' : ''}`);
  }

  if (has('GET', '/api/templates')) {
    get('/api/templates').then(({ templates }) => {
      fill(template, templates.map((t) => h('option', { value: t.name, selected: t.name === 'companies' }, t.title || t.name)));
      template.hidden = templates.length < 2;
      const fields = templates.find((t) => t.name === 'companies')?.fields || templates.find((t) => t.name === 'companies')?.schema?.fields || [];
      titles = Object.fromEntries(fields.map((f) => [f.name, f.title || f.name]));
    }, () => {}).finally(() => load());
  } else load();
  return { title: 'Records', element, wide: true };
}

/** Links of the list open in a new tab, only where they are plain web addresses. */
function value(content) {
  if (typeof content === 'string' && /^https?:\/\/\S+$/i.test(content)) return h('a', { href: content, target: '_blank', rel: 'noopener noreferrer' }, content.replace(/^https?:\/\/(www\.)?/i, ''));
  return cell(content);
}
