// What several pages are put together from.

import {h} from './dom.js';

export function card(title, ...children) {
  return h('section', {class: 'card', 'data-key': title}, h('h2', {}, title), children);
}

// A large number with what it means, and how it went lately.
export function tile(name, value, note = '', samples = null) {
  return h('div', {class: 'tile', 'data-key': name},
    h('p', {class: 'tile-name'}, name), h('p', {class: 'tile-value'}, value),
    h('p', {class: 'tile-note'}, note), samples ? sparkline(samples) : null);
}

export function sparkline(samples) {
  const width = 120, height = 28;
  const values = samples.slice(-60);
  const top = Math.max(...values, 1e-9);
  const step = width / 59;
  const at = (value, i) => `${(width - (values.length - 1 - i) * step).toFixed(1)},${(height - 2 - value / top * (height - 4)).toFixed(1)}`;
  const line = values.map(at).join(' ');
  const first = width - (values.length - 1) * step;
  return h('svg', {class: 'spark', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true'},
    values.length > 1 && [
      h('polygon', {class: 'spark-area', points: `${first.toFixed(1)},${height} ${line} ${width},${height}`}),
      h('polyline', {class: 'spark-line', points: line})]);
}

// level: ok, warn, bad, idle.
export function badge(level, text) {
  return h('span', {class: `badge badge-${level}`}, h('span', {class: 'dot', 'aria-hidden': 'true'}), text);
}

export function empty(title, ...more) {
  return h('div', {class: 'empty', 'data-key': `empty ${title}`}, h('p', {class: 'empty-title'}, title),
    more.map((each) => (each instanceof Node ? each : h('p', {}, each))));
}

export function loading(what) {
  return h('div', {class: 'empty', 'data-key': 'loading', role: 'status'},
    h('span', {class: 'spinner', 'aria-hidden': 'true'}), h('p', {}, `Loading ${what} …`));
}

export function failure(what, error) {
  return h('div', {class: 'alert alert-bad', role: 'alert', 'data-key': 'failure'},
    h('strong', {}, what), h('span', {}, ` ${error.message}`));
}

// A share as a bar, in words for those who do not see it.
export function meter(share, words, level = 'ok') {
  const percent = Math.min(Math.max(share, 0), 1) * 100;
  return h('div', {class: `meter meter-${level}`, role: 'meter', 'aria-label': words, 'aria-valuemin': 0, 'aria-valuemax': 100,
    'aria-valuenow': Math.round(percent), 'aria-valuetext': words},
    h('div', {class: 'meter-fill', style: {width: `${percent.toFixed(1)}%`}}));
}

// columns: [{name, cell: (row) => …, isNumber}]; a table that scrolls by itself where it is wide.
export function table(caption, columns, rows, keyOf) {
  return h('div', {class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': caption},
    h('table', {}, h('caption', {class: 'hidden'}, caption),
      h('thead', {}, h('tr', {}, columns.map((column) => h('th', {scope: 'col', class: column.isNumber ? 'number' : null}, column.name)))),
      h('tbody', {}, rows.map((row) => h('tr', {'data-key': keyOf ? keyOf(row) : null}, columns.map((column, i) =>
        h(i === 0 ? 'th' : 'td', {class: column.isNumber ? 'number' : null, scope: i === 0 ? 'row' : null}, column.cell(row))))))));
}
