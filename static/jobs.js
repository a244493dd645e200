// What can be done with a job: begin it, stop it, try it again, take away what it made.

import { known, post } from './api.js';
import { askForm, field, select } from './dom.js';
import { markStopping, poke } from './live.js';

/** The file that this page has just added or begun to process: its row takes the focus when it stands in the list. */
export const begun = { id: null };

async function begin(path, body) {
	begun.id = (await post(path, body)).file_upload_id;
	poke();
	return true;
}
export const retry = (job) => begin(`/api/jobs/${job.job_id}/retry`);

/** Processes a file that was stored before, by a template that is asked for where there are several. Resolves to whether it has begun. */
export function processStored({ id, filename }) {
	const path = `/api/files/${id}/process`;
	if (known.templates.length < 2) return begin(path);
	const template = templateSelect();
	return askForm(`Process ${filename}`, { fields: field('Check the rows against', template), yes: 'Process', submit: () => begin(path, { template: template.value }) });
}

export const TEMPLATE = 'companies'; // where nobody chooses one
export const templateSelect = (chosen = TEMPLATE, onchange = null) => select([...known.templates.map((one) => [one.name, one.title]), ['auto', 'No template: work it out from the file']], chosen, onchange);

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
	return [
		job.counts?.invalid > 0 && ['Rows to fix (.xlsx)', 'repair.xlsx'], ['Clean list (.xlsx)', 'records.xlsx'], ['Clean list (.csv)', 'records.csv'],
		!job.file_deleted && ['Marked copy (.xlsx)', 'annotated.xlsx'], ['JSON', 'records.json'], ['JSON, a record a line', 'records.ndjson'],
	].filter(Boolean).map(([label, name]) => [label, `/api/jobs/${job.job_id}/${name}`]);
}
