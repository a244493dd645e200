// The office's clean list: records with their source; searched, paged.

import { known, titlesOf } from './api.js';
import { growing, h, link, loading, sample, say, searchBox, select, table, view } from './dom.js';
import { TEMPLATE } from './jobs.js';
import { cell, count, num } from './words.js';

export function recordsView() {
	const place = loading();
	const wanted = { template: TEMPLATE, q: '', limit: 100 };
	const list = (change) => {
		const { template, q } = Object.assign(wanted, change);
		growing(place, '/api/records', { ...wanted }, 'records', (records) => {
			if (q) say(records.length ? count(records.length, 'record') : 'Nothing found');
			const fields = [...new Set(records.flatMap((record) => Object.keys(record.data)))];
			return table('Records', [...fields.map((name) => sample(titlesOf(template)(name))), 'From', 'Added by'], records.map((record) => [
				...fields.map((name) => value(record.data[name])), [record.job_id ? link(record.file, `#/job/${record.job_id}`) : record.file, h('span.hint', ` row ${num(record.row)}`)], record.uploader,
			]), { cls: 'data', none: q ? `Nothing in the list has “${q}”.` : 'The list is empty. It fills with the good rows of every file that is processed.' });
		});
	};
	list();
	const which = known.templates.length > 1 && select(known.templates.map((one) => [one.name, one.title]), TEMPLATE, (template) => list({ template }), { label: 'Template' });
	return { ...view('Records', [which, searchBox('Search the list', (q) => list({ q }))], place), wide: true };
}

/** Links of the list open in a new tab, only where they are plain web addresses. */
function value(content) {
	if (typeof content !== 'string' || !/^https?:\/\/\S+$/i.test(content)) return cell(content);
	return link(content.replace(/^https?:\/\/(www\.)?/i, ''), content, { target: '_blank', rel: 'noopener noreferrer' });
}
