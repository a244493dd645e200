// What can be done with a job: begin, stop, try again, take away what it made.

import { known, post, remove } from './api.js';
import { askForm, confirmed, field, say, select } from './dom.js';
import { markStopping, poke } from './live.js';

/** The file that was just added or begun: its row takes the focus. */
export const begun = { id: null };

async function begin(path, body) {
	begun.id = (await post(path, body)).file_upload_id;
	poke();
	return true;
}
export const retry = (job) => begin(`/api/jobs/${job.job_id}/retry`);

/** Processes a stored file; asks for the template where there are several. Resolves to whether it began. */
export function processStored({ id, filename }) {
	const path = `/api/files/${id}/process`;
	if (known.templates.length < 2) return begin(path);
	const template = templateSelect();
	return askForm(`Process ${filename}`, { fields: field('Check the rows against', template), yes: 'Process', submit: () => begin(path, { template: template.value }) });
}

export const TEMPLATE = 'companies'; // where nobody chooses one
export const templateSelect = (chosen = TEMPLATE, onchange = null) => select([...known.templates.map((one) => [one.name, one.title]), ['auto', 'No template: work it out from the file']], chosen, onchange);

export const deleteFile = (near, { id, filename }, then) => confirmed(near, [`Delete ${filename}?`, 'The file and its stored rows are removed for good. Records made from it stay in the list.', `Delete ${filename}`], async () => {
	await remove(`/api/files/${id}`);
	say(`${filename} is deleted`);
	await then();
});

export async function cancel(job) {
	try {
		await post(`/api/jobs/${job.job_id}/cancel`);
		markStopping(job.job_id);
	} catch (problem) {
		if (problem.code !== 'not-active') throw problem; // it has ended by itself meanwhile
	}
	poke();
}

export const hasReport = (job) => job?.status === 'completed' || job?.error?.code === 'missing-columns';

/** What a job made, for taking away, the most useful first: [label, address]. */
export function downloads(job) {
	if (job.status !== 'completed') return [];
	const stored = !job.undone; // What was undone has no records any more.
	return [
		job.counts?.invalid > 0 && ['Rows to fix (.xlsx)', 'repair.xlsx'], stored && ['Clean list (.xlsx)', 'records.xlsx'], stored && ['Clean list (.csv)', 'records.csv'],
		!job.file_deleted && ['Marked copy (.xlsx)', 'annotated.xlsx'], stored && ['JSON', 'records.json'], stored && ['JSON, a record a line', 'records.ndjson'],
	].filter(Boolean).map(([label, name]) => [label, `/api/jobs/${job.job_id}/${name}`]);
}
