// "Storage": datanodes, space, the blocks' health, repair and balance.

import {h} from './dom.js';
import {bytes, count, duration, percent} from './format.js';
import {live} from './live.js';
import {badge, card, empty, loading, meter, tile} from './widgets.js';

const SERVICE = {in_service: null, decommissioning: 'being emptied', decommissioned: 'emptied', maintenance: 'in maintenance'};

function level(node) {
  if (node.state === 'dead') return ['bad', `down for ${duration(node.silent_ms)}`];
  if (node.state === 'stale') return ['bad', `no answer for ${duration(node.silent_ms)}`];
  return SERVICE[node.service] ? ['warn', SERVICE[node.service]] : ['ok', 'live'];
}

function nodeCard(node) {
  const [state, words] = level(node);
  const used = node.capacity_bytes > 0 ? (node.capacity_bytes - node.free_bytes) / node.capacity_bytes : 0;
  const space = `${bytes(node.free_bytes)} of ${bytes(node.capacity_bytes)} free`;
  const fact = (name, value) => [h('dt', {}, name), h('dd', {}, value)];
  return h('li', {class: `node-card node-is-${state}`, 'data-key': node.node_id, 'data-state': node.state},
    h('div', {class: 'node-head'}, h('h3', {}, node.address), badge(state, words)),
    meter(used, `Disk ${percent(used)} full, ${space}`, used > 0.9 ? 'bad' : used > 0.75 ? 'warn' : 'ok'),
    h('p', {class: 'note'}, `${space}; replicas take ${bytes(node.used_bytes)}`),
    h('dl', {class: 'facts'}, fact('Replicas', count(node.replicas)), fact('Writing now', count(node.active_writes, 'block')), fact('Host', node.host || '–'),
      node.rack ? fact('Rack', node.rack) : null, node.blocks_to_move > 0 ? fact('To move', count(node.blocks_to_move, 'block')) : null, fact('Version', node.version || '–')),
    node.disks.filter((disk) => disk.failure).map((disk) => h('p', {class: 'alert alert-bad'}, `${disk.path}: ${disk.failure}`)));
}

function blocks(c) {
  const bad = c.missing_blocks > 0 ? 'bad' : c.under_replicated_blocks > 0 ? 'warn' : 'ok';
  const line = (name, value, is) => h('li', {'data-key': name}, h('span', {}, name), h('strong', {class: is && value > 0 ? `is-${is}` : null}, count(value)));
  return [
    h('p', {'data-key': 'words'}, badge(bad, bad === 'ok' ? 'every block has all its replicas' : bad === 'warn' ? 'being repaired' : 'some cannot be read')),
    h('ul', {class: 'numbers numbers-wide', 'data-key': 'numbers'}, line('Blocks', c.blocks), line('With too few replicas', c.under_replicated_blocks, 'warn'), line('Without any good replica', c.missing_blocks, 'bad'),
      line('Damaged replicas', c.corrupt_replicas, 'warn'), line('Repairs under way', c.pending_repairs), line('Deletions to come', c.pending_deletions))];
}

function balance(c) {
  const b = c.balance;
  if (!b.is_running) return h('p', {'data-key': 'balance'}, `Not running. Datanodes differ by ${b.spread_percent.toFixed(1)} % in how full they are.`);
  const done = b.bytes_moved / Math.max(b.bytes_moved + b.bytes_left, 1);
  return [meter(done, `${percent(done)} moved`), h('p', {'data-key': 'balance'}, `${bytes(b.bytes_moved)} moved, ${bytes(b.bytes_left)} to go; the nodes differ by ${b.spread_percent.toFixed(1)} %.`)];
}

export const storagePage = {
  name: 'storage',
  title: 'Storage',
  draw() {
    const head = h('h1', {'data-key': 'head'}, 'Storage');
    const c = live.state.cluster, nodes = live.state.datanodes?.datanodes;
    if (!c || !nodes) return [head, loading('the cluster’s state, which the master gives')];
    const ratio = c.stored_bytes > 0 ? c.raw_bytes / c.stored_bytes : null;
    const alive = c.datanodes.live, all = alive + c.datanodes.stale + c.datanodes.dead;
    return [head,
      h('div', {class: 'tiles', 'data-key': 'tiles'},
        tile('Datanodes', `${alive} of ${all} live`, c.is_in_safe_mode ? `safe mode: ${c.safe_mode_reason}` : `master heard ${duration(c.age_ms)} ago`),
        tile('Stored', bytes(c.raw_bytes), 'before compression', live.values('raw_bytes')),
        tile('A replica takes', bytes(c.stored_bytes), ratio ? `compressed ${ratio.toFixed(1)} times` : 'nothing is stored yet'),
        tile('Free', bytes(c.free_bytes), `of ${bytes(c.capacity_bytes)} on live disks`),
        tile('Files', count(c.files), `in ${count(c.directories, 'directory')}, ${count(c.blocks, 'block')}`)),
      h('section', {class: 'card', 'data-key': 'nodes'}, h('h2', {}, 'Datanodes'),
        nodes.length === 0 ? empty('No datanode has come yet', h('p', {}, 'Start one: ', h('code', {}, 'dfs-datanode --master HOST:PORT'))) : h('ul', {class: 'nodes'}, nodes.map(nodeCard))),
      h('div', {class: 'columns', 'data-key': 'columns'}, card('Blocks', blocks(c)), card('Balance', balance(c)))];
  },
};
