// "Files": browse, look into, download, upload, make folders, delete.

import {h} from './dom.js';
import {bytes, count, time} from './format.js';
import {ask} from './live.js';
import {badge, empty, failure, loading, table} from './widgets.js';

const PREVIEW_BYTES = 64 * 1024;
const PREVIEW_ROWS = 50;
const PAGE = 200;
const USER = 'dashboard';

let redraw = () => {};
let path = '/', listing = null, error = null, isAsking = false;
let open = null;     // the file that is looked into: {status, blocks, text, error}
let upload = null;   // {name, share}
let doomed = null;   // what the dialog asks about
let notice = null;   // {level, text}

const encode = (text) => text.split('/').map(encodeURIComponent).join('/');
const join = (folder, name) => (folder === '/' ? `/${name}` : `${folder}/${name}`);
const parentOf = (each) => each.slice(0, each.lastIndexOf('/')) || '/';
const address = (each) => `#/files${each === '/' ? '' : encode(each)}`;
const webhdfs = (each, query) => `/webhdfs/v1${encode(each)}?user.name=${USER}&${query}`;

async function wordsOf(answer) {
  const document = await answer.json().catch(() => null);
  return document?.RemoteException?.message ?? `the gateway answered ${answer.status}`;
}

// ---- Looking ----

async function load() {
  const asked = path;
  isAsking = true;
  error = null;
  redraw();
  try {
    const found = await ask(`/files?user.name=${USER}&path=${encodeURIComponent(asked)}&limit=${PAGE}`);
    if (asked !== path) return;
    if (found.status.kind === 'file') await look(found.status);
    else { listing = found; open = null; }
  } catch (failed) {
    if (asked === path) { error = failed; listing = open = null; }
  } finally {
    if (asked === path) isAsking = false;
    redraw();
  }
}

async function more() {
  const last = listing.entries.at(-1)?.name ?? '';
  try {
    const next = await ask(`/files?user.name=${USER}&path=${encodeURIComponent(path)}&limit=${PAGE}&after=${encodeURIComponent(last)}`);
    listing = {...next, entries: [...listing.entries, ...next.entries]};
  } catch (failed) {
    error = failed;
  }
  redraw();
}

async function look(status) {
  listing = null;
  open = {status};
  try {
    const [blocks, answer] = await Promise.all([
      ask(`/blocks?user.name=${USER}&path=${encodeURIComponent(path)}`), fetch(webhdfs(path, `op=OPEN&length=${PREVIEW_BYTES}`))]);
    if (!answer.ok) throw new Error(await wordsOf(answer));
    open = {status, blocks: blocks.blocks, bytes: new Uint8Array(await answer.arrayBuffer())};
  } catch (failed) {
    open = {status, error: failed};
  }
}

// ---- Changing ----

async function change(target, method, query, words) {
  try {
    const answer = await fetch(webhdfs(target, query), {method});
    if (!answer.ok) throw new Error(await wordsOf(answer));
    if ((await answer.json().catch(() => ({}))).boolean === false) throw new Error('it was not there any more');
    notice = {level: 'ok', text: words};
    return true;
  } catch (failed) {
    notice = {level: 'bad', text: failed.message};
    return false;
  }
}

async function remove() {
  const {target, name} = doomed;
  doomed = null;
  redraw();
  const isGone = await change(target, 'DELETE', 'op=DELETE&recursive=true', `${name} was deleted.`);
  if (isGone && target === path) location.hash = address(parentOf(path));
  else await load();
}

async function makeFolder(event) {
  event.preventDefault();
  const field = event.target.elements.name;
  const name = field.value.trim();
  if (name === '' || name.includes('/')) { notice = {level: 'bad', text: 'A folder needs a name without “/”.'}; redraw(); return; }
  if (await change(join(path, name), 'PUT', 'op=MKDIRS', `The folder ${name} was made.`)) field.value = '';
  await load();
}

function send(file) {
  const request = new XMLHttpRequest();
  upload = {name: file.name, share: 0};
  request.upload.onprogress = (event) => { if (event.lengthComputable) { upload.share = event.loaded / event.total; redraw(); } };
  request.onload = () => {
    const isStored = request.status >= 200 && request.status < 300;
    let words = `the gateway answered ${request.status}`;
    try { words = JSON.parse(request.responseText).RemoteException.message; } catch { /* it gave no words */ }
    notice = isStored ? {level: 'ok', text: `${file.name} is stored, on as many datanodes as it should be.`} : {level: 'bad', text: `${file.name}: ${words}`};
    upload = null;
    load();
  };
  request.onerror = () => { upload = null; notice = {level: 'bad', text: `${file.name}: the connection broke off; nothing of it was stored.`}; redraw(); };
  request.open('PUT', webhdfs(join(path, file.name), 'op=CREATE&data=true&overwrite=false'));
  request.setRequestHeader('Content-Type', 'application/octet-stream');
  request.send(file);
  redraw();
}

// ---- What is shown ----

function crumbs() {
  const parts = path.split('/').filter(Boolean);
  return h('nav', {class: 'crumbs', 'aria-label': 'Folders', 'data-key': 'crumbs'}, h('ol', {},
    h('li', {}, h('a', {href: '#/files', 'aria-current': parts.length === 0 ? 'page' : null}, '/')),
    parts.map((part, i) => h('li', {}, h('a', {href: address(`/${parts.slice(0, i + 1).join('/')}`), 'aria-current': i === parts.length - 1 ? 'page' : null}, part)))));
}

function actions() {
  return h('div', {class: 'toolbar', 'data-key': 'actions'},
    h('label', {class: 'button button-main', tabindex: 0, onkeydown: (event) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); event.target.querySelector('input')?.click(); } }},
      'Upload a file', h('input', {type: 'file', class: 'hidden', id: 'upload', tabindex: -1, 'aria-label': 'Upload a file', onchange: (event) => { const [file] = event.target.files; event.target.value = ''; if (file) send(file); }})),
    h('form', {class: 'inline', onsubmit: makeFolder}, h('input', {name: 'name', type: 'text', placeholder: 'New folder', 'aria-label': 'Name of a new folder', maxlength: 255, autocomplete: 'off'}), h('button', {class: 'button', type: 'submit'}, 'Make')));
}

function entries() {
  if (listing.entries.length === 0) return empty('This folder is empty', 'Upload a file, or let a job write into it.');
  const isFolder = (entry) => entry.kind === 'directory';
  const target = (entry) => join(path, entry.name);
  return [
    table(`Entries of ${path}`, [
      {name: 'Name', cell: (entry) => h('a', {class: isFolder(entry) ? 'entry entry-folder' : 'entry entry-file', href: address(target(entry))}, entry.name)},
      {name: 'Size', cell: (entry) => (isFolder(entry) ? count(entry.children, 'entry') : bytes(entry.length_bytes)), isNumber: true},
      {name: 'Stored', cell: (entry) => (isFolder(entry) ? '' : `${bytes(entry.stored_bytes)} × ${entry.replication}`), isNumber: true},
      {name: 'Changed, UTC', cell: (entry) => time(entry.modified_at_ms)}, {name: 'Owner', cell: (entry) => entry.owner || '–'},
      {name: 'Actions', cell: (entry) => h('span', {class: 'row-actions'},
        isFolder(entry) ? null : h('a', {class: 'button button-small', href: webhdfs(target(entry), 'op=OPEN'), download: entry.name, 'aria-label': `Download ${entry.name}`}, 'Download'),
        h('button', {class: 'button button-small button-bad', type: 'button', 'aria-label': `Delete ${entry.name}`, onclick: () => confirmDeletion(target(entry), entry)}, 'Delete'))},
    ], listing.entries, (entry) => entry.name),
    listing.has_more && h('p', {class: 'center', 'data-key': 'more'}, h('button', {class: 'button', type: 'button', onclick: more}, 'Show more'))];
}

function confirmDeletion(target, entry) {
  doomed = {target, name: entry.name, isFolder: entry.kind === 'directory', children: entry.children, size: entry.length_bytes};
  redraw();
  document.getElementById('confirm')?.showModal();
  document.getElementById('confirm-no')?.focus();
}

function dialog() {
  const what = doomed && (doomed.isFolder ? `The folder ${doomed.target} and all below it (${count(doomed.children, 'entry')} in it)` : `The file ${doomed.target} (${bytes(doomed.size)})`);
  const close = () => document.getElementById('confirm').close();
  return h('dialog', {id: 'confirm', 'aria-labelledby': 'confirm-title', 'data-key': 'dialog', open: document.getElementById('confirm')?.open},
    h('h2', {id: 'confirm-title'}, `Delete ${doomed?.name ?? ''}?`), h('p', {}, doomed ? `${what} will be gone for good.` : ''),
    h('div', {class: 'toolbar'}, h('button', {id: 'confirm-no', class: 'button', type: 'button', onclick: close}, 'Keep it'),
      h('button', {id: 'confirm-yes', class: 'button button-bad', type: 'button', onclick: () => { close(); remove(); }}, 'Delete')));
}

// JSON lines as a table; other text as it is; what is no text is not shown.
function preview() {
  if (open.error) return failure('It cannot be read:', open.error);
  if (!open.bytes) return loading('its beginning');
  if (open.bytes.length === 0) return empty('This file is empty');
  let text = null;
  try { text = new TextDecoder('utf-8', {fatal: true}).decode(open.bytes, {stream: true}); } catch { /* no text */ }
  if (text === null || text.includes('\0')) return empty('This file is no text', 'Download it to look into it.');
  const isWhole = open.bytes.length >= open.status.length_bytes;
  const lines = text.split('\n');
  if (!isWhole || lines.at(-1) === '') lines.pop();
  const rows = lines.slice(0, PREVIEW_ROWS).map((line) => { try { return JSON.parse(line); } catch { return null; } });
  const isRows = rows.length > 0 && rows.every((row) => row !== null && typeof row === 'object' && !Array.isArray(row));
  const note = h('p', {class: 'note', 'data-key': 'preview note'}, isRows ? `The first ${count(rows.length, 'row')}, decoded.` : isWhole ? 'All of it, decompressed.' : `The first ${bytes(open.bytes.length)}, decompressed.`);
  if (!isRows) return [note, h('pre', {class: 'code', tabindex: 0, role: 'region', 'aria-label': 'Content'}, h('code', {}, text.slice(0, 20000)))];
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].slice(0, 60);
  const cell = (value) => (value === null || value === undefined ? h('span', {class: 'muted'}, 'NULL') : typeof value === 'object' ? JSON.stringify(value) : String(value));
  const numbers = new Set(names.filter((name) => rows.every((row) => row[name] === null || row[name] === undefined || typeof row[name] === 'number')));
  return [note, table(`Rows of ${path}`, names.map((name) => ({name, isNumber: numbers.has(name), cell: (row) => cell(row[name])})), rows)];
}

function file() {
  const {status} = open;
  const fact = (name, value) => [h('dt', {}, name), h('dd', {}, value)];
  return [
    h('div', {class: 'job-head', 'data-key': 'file head'}, h('h2', {}, status.name), status.writer ? badge('ok', `written by ${status.writer}`) : null,
      h('span', {class: 'row-actions'}, h('a', {class: 'button', href: webhdfs(path, 'op=OPEN'), download: status.name}, 'Download'),
        h('button', {class: 'button button-bad', type: 'button', onclick: () => confirmDeletion(path, status)}, 'Delete'))),
    h('dl', {class: 'facts', 'data-key': 'facts'}, fact('Size', bytes(status.length_bytes)), fact('A replica takes', bytes(status.stored_bytes)), fact('Replicas wanted', status.replication),
      fact('Blocks', count(status.blocks)), fact('Changed, UTC', time(status.modified_at_ms)), fact('Owner', [status.owner, status.group].filter(Boolean).join(':') || '–')),
    open.blocks?.length > 0 && h('details', {'data-key': 'blocks'}, h('summary', {}, 'Where its blocks are'), table('Blocks', [
      {name: 'Block', cell: (block) => block.block_id}, {name: 'From byte', cell: (block) => count(block.offset_bytes), isNumber: true}, {name: 'Length', cell: (block) => bytes(block.length_bytes), isNumber: true},
      {name: 'Compressed', cell: (block) => bytes(block.stored_bytes), isNumber: true},
      {name: 'On', cell: (block) => (block.holders.length > 0 ? block.holders.map((holder) => holder.address).join(', ') : badge('bad', 'no datanode that is up'))},
    ], open.blocks.slice(0, 500), (block) => String(block.block_id))),
    preview()];
}

export const filesPage = {
  name: 'files',
  title: 'Files',
  open(draw) {
    redraw = draw;
  },
  close() {
    redraw = () => {};
    notice = doomed = null;
  },
  go(rest) {
    path = `/${rest.replace(/\/+$/, '')}`;
    listing = open = null;
    load();
  },
  draw() {
    return [
      h('div', {class: 'page-head', 'data-key': 'head'}, h('h1', {}, 'Files'), listing && actions()), crumbs(),
      h('div', {class: 'notices', role: 'status', 'data-key': 'notice'}, notice && h('p', {class: `alert alert-${notice.level}`}, notice.text), upload && h('p', {class: 'note'}, `Uploading ${upload.name}: ${Math.round(upload.share * 100)} %`)),
      h('section', {class: 'card', 'data-key': 'content'}, error ? failure('This path cannot be shown:', error) : listing ? entries() : open ? file() : isAsking ? loading(path) : null),
      dialog()];
  },
};
