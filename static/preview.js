// What the server sees in the chosen file: sheet, header row, mapping, first rows.

import { field, h, input, note, sample, select, table } from './dom.js';
import { bytes, cell, count, dots, howWord, num } from './words.js';

const SEPARATORS = [['', 'Found by looking'], [';', 'Semicolon ;'], [',', 'Comma ,'], ['tab', 'Tab'], ['|', 'Bar |']];
const ENCODINGS = [['', 'Found by looking'], ['utf-8', 'UTF-8'], ['windows-1252', 'Western European (Windows)'], ['windows-1250', 'Central European (Windows)'], ['windows-1251', 'Cyrillic (Windows)'], ['utf-16le', 'UTF-16']];
const ORDERS = [['', 'Choose'], ['day-month', 'Day first'], ['month-day', 'Month first']];
const isText = (name) => /\.(csv|tsv|txt)$/i.test(name);

/** `seen`: the server's answer; `options`: what was chosen; `change`: looks again; `fields`: the template's. */
export function previewPanel({ seen, stale, file, options, change, fields }) {
	const { mapping = [], missing = [], rows = [], notices = [] } = seen;
	const named = (name) => fields.find((f) => f.name === name)?.title || name;
	const columns = mapping.map((m) => m.column);
	const value = (row, i) => cell(Array.isArray(row) ? row[i] : row[columns[i]]);
	const example = (i) => rows.map((row) => value(row, i)).find((words) => words !== '–') || '–';
	const matched = mapping.filter((m) => m.field).length;
	const easy = matched > 0 && mapping.every((m) => m.how === 'exact') && !missing.length;
	const choose = (m) => select([['', 'Keep as extra'], ['-', 'Leave it out'], ...fields.map((f) => [f.name, f.title || f.name])], m.field || (m.how === 'none' ? '' : '-'), (name) => change({ mapping: { ...Object.fromEntries(Object.entries(options.mapping || {}).filter(([, f]) => f !== name)), [m.column]: name === '-' ? null : name || undefined } }), { label: `Field for ${m.column}` });
	const editable = fields.length > 0;
	const textual = isText(file.name) || seen.encoding;
	const single = textual && mapping.length === 1; // a wrong separator leaves one column
	const repair = seen.repairs;
	const orders = (seen.dates || []).filter((d) => d.chosen || !d.order.includes('-'));
	return h('div.grid', { 'aria-busy': stale ? 'true' : null },
		repair && note('info', `These are the rows to fix of ${repair.filename}. “Upload & Process Now” puts them back to where they belong.`),
		!repair && whichRows(seen, options, change),
		single && note('warn', 'Only one column was found. Is the separator right?'),
		textual && h('details', { open: single }, h('summary', dots('Reading details', seen.encoding && `${seen.encoding} text`, seen.delimiter && `separator ${seen.delimiter === '\t' ? 'Tab' : seen.delimiter}`)), h('div.row',
			field('Separator', select(SEPARATORS, options.delimiter, (delimiter) => change({ delimiter }))),
			field('Letters', select(ENCODINGS, options.encoding, (encoding) => change({ encoding }))))),
		mapping.length > 0 && h('details', { open: !easy }, h('summary', easy ? `All ${count(mapping.length, 'column')} recognised` : `${num(matched)} of ${count(mapping.length, 'column')} recognised`),
			table('How the columns are understood', ['Column in your file', 'Field', 'How', sample('Example')],
				mapping.map((m, i) => [m.column, editable ? choose(m) : m.field ? named(m.field) : '–', howWord(m.how), example(i)]))),
		missing.map((name) => note('warn', `“${named(name)}” is needed, and no column was matched to it.${editable ? ' Choose its column above.' : ''}`)),
		orders.length > 0 && field(`Dates such as 03/08/2024 (${orders.map((d) => named(d.field)).join(', ')})`, select(ORDERS, options.date_order, (date_order) => change({ date_order }))),
		notices.length > 0 && h('details', h('summary', `${count(notices.length, 'thing')} to know`), h('ul', notices.map((n) => h('li', n.cell && `${n.cell}: `, n.message)))),
		rows.length > 0 && h('details', h('summary', rows.length === 1 ? 'The only row' : `First ${num(rows.length)} rows`),
			table('First rows of the file', columns, rows.map((row) => columns.map((_, i) => value(row, i))), { cls: 'data' })));
}

function whichRows(seen, options, change) {
	const sheets = seen.sheets || [];
	const current = options.sheet || seen.sheet || sheets.find((s) => s.rows > 0 && s.visibility === 'visible')?.name;
	const about = (s) => [s.rows ? count(s.rows, 'row') : 'empty', s.visibility !== 'visible' && 'hidden'].filter(Boolean).join(', ');
	const header = input('number', { class: 'short', min: '1', max: '1048576', value: String(options.header_row || seen.header_row || 1), onchange: () => { if (header.value >= 1) change({ header_row: String(Math.floor(header.value)) }); } });
	return h('div.row',
		sheets.length > 1 && field('Sheet', select(sheets.map((s) => [s.name, `${s.name} (${about(s)})`]), current, (sheet) => change({ sheet, header_row: '' }))),
		field('Headers are in row', header),
		sheets.length === 1 && h('p.hint', dots(sheets[0].name && `Sheet ${sheets[0].name}`, about(sheets[0]))));
}

export const heading = (file) => h('h2.name', file.name, h('span.hint', ` ${bytes(file.size)}`));
