// A job's plan, as EXPLAIN has it, as a graph; and SQL with its words told apart.

import {h} from './dom.js';

// Lines indented by two blanks a level → [{text, inputs: […]}].
export function parsePlan(text) {
  const roots = [], path = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const depth = Math.floor((line.length - line.trimStart().length) / 2);
    const node = {text: line.trim(), inputs: []};
    path.length = depth;
    (depth === 0 ? roots : path[depth - 1]?.inputs ?? roots).push(node);
    path[depth] = node;
  }
  return roots;
}

const KIND = /^((?:Insert|Scan|Filter|Project|Window ?Aggregate|Aggregate|Exchange|Join|Union ?All|Union|Top-?N|Sort|Limit|Over|Values|Window|Expand|Unnest)\b(?: by\b)?)\s*(.*)$/i;

function operator(node, job) {
  const [, kind = 'Step', rest = node.text] = node.text.match(KIND) ?? [];
  const name = kind.replace(/ by$/i, '');
  const detail = kind.endsWith(' by') ? `by ${rest}` : rest;
  const isScan = /^scan/i.test(name), isInsert = /^insert/i.test(name);
  return h('div', {class: `op ${isScan ? 'op-scan' : isInsert ? 'op-insert' : /^exchange/i.test(name) ? 'op-exchange' : ''}`},
    h('span', {class: 'op-kind'}, name), h('span', {class: 'op-detail', title: detail}, detail), isScan || isInsert ? h('span', {class: 'op-rows'}, isScan ? job.in : job.out) : null);
}

function tree(node, job) {
  return h('div', {class: 'plan-tree'},
    node.inputs.length > 0 && h('div', {class: 'plan-inputs'}, node.inputs.map((input) => tree(input, job))), operator(node, job));
}

// `job`: {in, out}: what to say of the rows read and written.
export function planView(text, job) {
  return h('div', {class: 'plan', tabindex: 0, role: 'region', 'aria-label': 'The plan, from its sources on the left to where its rows go'},
    parsePlan(text).map((root) => tree(root, job)));
}

const WORDS = new Set(('SELECT FROM WHERE GROUP BY ORDER HAVING INSERT INTO CREATE TABLE VIEW TEMPORARY WITH AS ON JOIN LEFT RIGHT FULL INNER OUTER CROSS UNION ALL DISTINCT CASE WHEN THEN ELSE END AND OR NOT NULL IS IN ' +
  'BETWEEN LIKE INTERVAL TUMBLE HOP CUMULATE SESSION DESCRIPTOR WATERMARK FOR PRIMARY KEY ENFORCED PARTITIONED PARTITION OVER WINDOW ROWS RANGE PRECEDING FOLLOWING CURRENT ROW SET CAST TRY_CAST LIMIT OFFSET VALUES ' +
  'STRING INT BIGINT DOUBLE FLOAT DECIMAL BOOLEAN TIMESTAMP DATE TIME SECOND MINUTE HOUR DAY MONTH YEAR EXPLAIN FILTER DESC ASC').split(' '));
const TOKEN = /(--[^\n]*)|('(?:[^']|'')*')|([A-Za-z_][A-Za-z_0-9]*)|([^A-Za-z_'-]+|.)/g;

export function sqlView(text) {
  const parts = [];
  for (const [token, comment, string, word] of text.matchAll(TOKEN)) {
    const kind = comment ? 'sql-comment' : string ? 'sql-string' : word && WORDS.has(word.toUpperCase()) ? 'sql-word' : null;
    parts.push(kind ? h('span', {class: kind}, token) : token);
  }
  return h('pre', {class: 'code', tabindex: 0, role: 'region', 'aria-label': 'SQL'}, h('code', {}, parts));
}
