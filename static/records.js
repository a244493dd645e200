// The office's clean list: every record of all completed jobs, with its source; searched and paged.

import { get, known, query, titlesOf } from './api.js';
import { button, fill, h, input, link, load, loading, sample, say, select, table, view } from './dom.js';
import { TEMPLATE } from './jobs.js';
import { cell, count, num } from './words.js';

const PAGE = 50;

export function recordsView() {
	const before = []; // cursors of the pages that were left behind
	let template = TEMPLATE;
	let cursor = null;
	let turn = 0;
	let typing = 0;
	const search = input('search', { 'aria-label': 'Search the list', placeholder: 'Search…', oninput: () => { clearTimeout(typing); typing = setTimeout(restart, 250); } });
	const place = loading();

	function restart() { before.length = 0; cursor = null; draw(); }
	function draw(focus) {
		turn += 1;
		const mine = turn;
		const words = search.value.trim();
		return load(place, async () => {
			const { records, next_cursor: next } = await get(`/api/records${query({ template, limit: PAGE, q: words, cursor })}`);
			const title = titlesOf(template);
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
			]), { cls: 'data' }),
			h('div.pager', button('‹ Previous', () => { cursor = before.pop() ?? null; draw(true); }, { disabled: !before.length }),
				h('span.hint', `${num(first)}–${num(first + records.length - 1)}`),
				button('Next ›', () => { before.push(cursor); cursor = next; draw(true); }, { disabled: !next })));
			if (focus) place.querySelector('.scroll').focus();
			if (words) say(`${count(records.length, 'record')}${next ? ' and more' : ''}`);
		});
	}

	const which = known.templates.length > 1 && select(known.templates.map((one) => [one.name, one.title]), template, (name) => { template = name; restart(); }, { 'aria-label': 'Template' });
	draw();
	return { ...view('Records', [which, search], place), wide: true };
}

/** Links of the list open in a new tab, only where they are plain web addresses. */
function value(content) {
	if (typeof content !== 'string' || !/^https?:\/\/\S+$/i.test(content)) return cell(content);
	return link(content.replace(/^https?:\/\/(www\.)?/i, ''), content, { target: '_blank', rel: 'noopener noreferrer' });
}
