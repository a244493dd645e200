// What the server sees in the chosen file: sheet, header row, mapping, first rows.

import { titlesOf } from './api.js';
import { attr, field, h, input, note, sample, select, table } from './dom.js';
import { bytes, cell, count, date, dots, howWord, num } from './words.js';

const SEPARATORS = [['', 'Found by looking'], [';', 'Semicolon ;'], [',', 'Comma ,'], ['tab', 'Tab'], ['|', 'Bar |']];
const ENCODINGS = [['', 'Found by looking'], ['utf-8', 'UTF-8'], ['windows-1252', 'Western European (Windows)'], ['windows-1250', 'Central European (Windows)'], ['windows-1251', 'Cyrillic (Windows)'], ['utf-16le', 'UTF-16']];
const ORDERS = { 'day-month': 'day first', 'month-day': 'month first' };
const isText = (name) => /\.(csv|tsv|txt)$/i.test(name);

// What has to be chosen first: fields without a column, and the order of day and month.
export const undecided = ({ missing = [], dates = [] }) => [...missing, ...dates.filter((d) => !d.chosen && d.example)];

// `seen`: the server's last answer; `failed`: id of why there is no newer one; `change`: looks again.
export function previewPanel({ seen, failed, busy, file, options, change, fields }) {
	const { mapping = [], missing = [], rows = [], notices = [], dates = [], repairs } = seen;
	const named = titlesOf(fields);
	const value = (row, { column }) => cell(row[column]);
	const example = (m) => rows.map((row) => value(row, m)).find((words) => words !== '–') || '–';
	const matched = mapping.filter((m) => m.field).length;
	const easy = repairs || (matched > 0 && mapping.every((m) => m.how === 'exact') && !missing.length);
	// Gives a column to a field; the field leaves the column that had it.
	const give = (column, name) => change({ mapping: { ...Object.fromEntries(Object.entries(options.mapping || {}).filter(([, f]) => f === null || f !== name)), [column]: name } });
	const choose = (m) => select([['', 'Keep as extra'], ['-', 'Leave it out'], ...fields.map((f) => [f.name, f.title])], m.field || (m.how === 'none' ? '' : '-'), (name) => give(m.column, name === '-' ? null : name || undefined), { label: `Field for ${m.column}` });
	const textual = !file.id && (isText(file.name) || seen.encoding);
	const single = textual && mapping.length === 1; // a wrong separator leaves one column
	const ask = dates.filter((d) => d.example);
	const told = dates.filter((d) => ORDERS[d.order] && d.evidence.length > 0).map((d) => `Dates in “${named(d.field)}” are read ${ORDERS[d.order]}: ${d.evidence[0].cell} holds ${d.evidence[0].value}.`);
	const known = [...notices.map((n) => [n.cell && `${n.cell}: `, n.message]), ...told];
	return h('div.grid', { 'aria-busy': busy && 'true' },
		repairs ? note('info', `These are the ${count(mainSheet(seen, options)?.rows, 'row')} to fix of ${repairs.filename}. Processing puts them back to where they belong.`)
			: whichRows(seen, failed, options, change, file),
		single && note('warn', 'Only one column was found. Is the separator right?'),
		textual && h('details', { open: single || Boolean(options.delimiter || options.encoding) }, h('summary', dots('Reading details', seen.encoding && `${seen.encoding} text`, seen.delimiter && `separator ${seen.delimiter === '\t' ? 'Tab' : seen.delimiter}`)), h('div.row',
			field('Separator', select(SEPARATORS, options.delimiter, (delimiter) => change({ delimiter }))),
			field('Letters', select(ENCODINGS, options.encoding, (encoding) => change({ encoding }))))),
		// What was seen under other choices is not shown as if it held.
		!failed && [
			mapping.length > 0 && h('details', { open: !easy }, h('summary', easy ? `All ${count(mapping.length, 'column')} recognised` : `${num(matched)} of ${count(mapping.length, 'column')} recognised`),
				table('How the columns are understood', ['Column in your file', 'Field', 'How', sample('Example')],
					mapping.map((m) => [[h('span.hint', m.letter), ' ', m.column], fields.length > 0 ? choose(m) : m.field || '–', repairs && m.field ? 'as before' : howWord(m.how), example(m)]), { cls: 'cards' })),
			missing.map((name) => note('warn', field(`“${named(name)}” is needed, and no column is recognised as it. It is`, select([['', 'Choose a column'], ...mapping.map((m) => [m.column, m.column])], '', (column) => give(column, name), { class: 'undecided' })))),
			ask.length > 0 && note(options.date_order ? 'info' : 'warn', field(`Dates in ${ask.map((d) => `“${named(d.field)}”`).join(' and ')}: ${ask[0].example.value} in ${ask[0].example.cell} is`,
				select([['', 'Choose which'], ...Object.entries(ORDERS).map(([order, words]) => [order, `${date(ask[0].example[order])} (${words})`])], options.date_order, (order) => change({ date_order: order }), { class: 'undecided' }))),
			known.length > 0 && h('details', h('summary', `${count(known.length, 'thing')} to know`), h('ul', known.map((words) => h('li', words)))),
			rows.length > 0 && h('details', h('summary', rows.length === 1 ? 'The only row' : `First ${num(rows.length)} rows`),
				table('First rows of the file', mapping.map((m) => m.column), rows.map((row) => mapping.map((m) => value(row, m))), { cls: 'data' })),
		]);
}

const mainSheet = ({ sheets = [], sheet }, options) => sheets.find((s) => s.name === (options.sheet || sheet)) || sheets[0];

function whichRows(seen, failed, options, change, file) {
	const { sheets = [] } = seen;
	const about = (s) => dots(s.rows ? count(s.rows, 'row') : 'empty', s.visibility !== 'visible' && 'hidden');
	const main = mainSheet(seen, options);
	const header = input('number', { class: 'short', min: '1', max: '1048576', value: String(options.header_row || seen.header_row || 1), onchange: () => { if (header.value >= 1) change({ header_row: String(Math.floor(header.value)) }); } });
	if (failed && options.header_row) { attr(header, 'aria-invalid', 'true'); attr(header, 'aria-describedby', failed); }
	return h('div.row',
		sheets.length > 1 && field('Sheet', select(sheets.map((s) => [s.name, `${s.name} (${about(s)})`]), main?.name, (sheet) => change({ sheet, header_row: '' }))),
		!file.id && field('Headers are in row', header));
}

export const heading = ({ name, size }, seen, options) => h('h2', name, h('span.hint', ` ${dots(size > 0 && bytes(size), seen && count(mainSheet(seen, options)?.rows, 'row'))}`));
