// The office's clean list: every record of all completed jobs, with its source; searched and paged.

import { allTemplates, get, has, query, titlesOf } from './api.js';
import { button, fill, h, input, link, load, loading, sample, say, select, table } from './dom.js';
import { cell, count, num } from './words.js';

const PAGE = 50;

export function recordsView() {
	const before = []; // cursors of the pages that were left behind
	let template = 'companies';
	let cursor = null;
	let turn = 0;
	let typing = 0;
	const search = input('search', { 'aria-label': 'Search the list', placeholder: 'Search…', oninput: () => { clearTimeout(typing); typing = setTimeout(restart, 250); } });
	const tools = h('div.tools', search);
	const place = loading();

	function restart() { before.length = 0; cursor = null; draw(); }
	function draw(focus) {
		turn += 1;
		const mine = turn;
		const words = search.value.trim();
		return load(place, async () => {
			const { records, next_cursor: next } = await get(`/api/records${query({ template, limit: PAGE, q: words, cursor })}`);
			const title = await titlesOf(template);
			if (mine !== turn) return;
			if (!records.length) {
				fill(place, h('p.empty', words ? `Nothing in the list has “${words}”.` : 'The list is empty. It fills with the good rows of every file that is processed.'));
				if (words) say('Nothing found');
				return;
			}
			const fields = [...new Set(records.flatMap((record) => Object.keys(record.data)))];
			const first = before.length * PAGE + 1;
			fill(place, table('Records', [...fields.map((name) => sample(title(name))), 'From', 'Added by'], records.map((record) => [
				...fields.map((name) => value(record.data[name])), [record.job_id ? link(record.file, `#/job/${record.job_id}`) : record.file, h('span.hint', ` row ${num(record.row)}`)], record.uploader,
			]), 'data'),
			h('div.pager', button('‹ Previous', () => { cursor = before.pop() ?? null; draw(true); }, { disabled: !before.length }),
				h('span.hint', `${num(first)}–${num(first + records.length - 1)}`),
				button('Next ›', () => { before.push(cursor); cursor = next; draw(true); }, { disabled: !next })));
			if (focus) place.querySelector('.scroll').focus();
			if (words) say(`${count(records.length, 'record')}${next ? ' and more' : ''}`);
		});
	}

	if (has('GET', '/api/templates')) {
		allTemplates().then((all) => {
			if (all.length > 1) tools.prepend(select(all.map((t) => [t.name, t.title || t.name]), template, (name) => { template = name; restart(); }, { 'aria-label': 'Template' }));
		}, () => {});
	}
	draw();
	return { title: 'Records', element: h('div', h('div.head', h('h1', { tabindex: '-1' }, 'Records'), tools), place), wide: true };
}

/** Links of the list open in a new tab, only where they are plain web addresses. */
function value(content) {
	if (typeof content !== 'string' || !/^https?:\/\/\S+$/i.test(content)) return cell(content);
	return link(content.replace(/^https?:\/\/(www\.)?/i, ''), content, { target: '_blank', rel: 'noopener noreferrer' });
}
