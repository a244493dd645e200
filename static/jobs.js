// What can be done with a job: begin it, stop it, try it again, take away what it made.

import { has, post } from './api.js';
import { markStopping, poke } from './live.js';

/** The file that this page has just added or begun to process: its row takes the focus when it stands in the list. */
export const begun = { id: null };

const begin = (work) => async (...given) => { begun.id = (await work(...given)).file_upload_id; poke(); };
/** Processes a file that was stored before. */
export const processStored = begin((id) => post(`/api/files/${id}/process`));
export const retry = begin((job) => post(`/api/jobs/${job.job_id}/retry`));

export async function cancel(job) {
	try {
		await post(`/api/jobs/${job.job_id}/cancel`);
		markStopping(job.job_id);
	} catch (problem) {
		if (problem.code !== 'not-active') throw problem; // it has ended by itself meanwhile
	}
	poke();
}

/** What a job made, for taking away, the most useful first: [label, address]. */
export function downloads(job) {
	if (job.status !== 'completed') return [];
	return [
		job.counts?.invalid > 0 && ['Rows to fix (.xlsx)', 'repair.xlsx'], ['Clean list (.xlsx)', 'records.xlsx'], ['Clean list (.csv)', 'records.csv'],
		!job.file_deleted && ['Marked copy (.xlsx)', 'annotated.xlsx'], ['JSON', 'records.json'], ['JSON, a record a line', 'records.ndjson'],
	].filter((one) => one && has('GET', `/api/jobs/{id}/${one[1]}`)).map(([label, name]) => [label, `/api/jobs/${job.job_id}/${name}`]);
}
