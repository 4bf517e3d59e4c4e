// The pages, in the order of the navigation. A page has a name (its address is "#/name"), a title,
// draw() → elements, and if it wants: open(redraw) and close(), go(rest of the address, redraw),
// drawn(root) once its elements are in the document.

import {filesPage} from './page_files.js';
import {jobsPage} from './page_jobs.js';
import {nowPage} from './page_now.js';
import {resultsPage} from './page_results.js';
import {storagePage} from './page_storage.js';

export const pages = [nowPage, resultsPage, jobsPage, storagePage, filesPage];
