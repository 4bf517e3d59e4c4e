// What is wrong, in words: a list of {level: 'bad' | 'warn', what, why}, the worst first. Pure.

import {bytes, count, duration} from './format.js';

const MASTER_SILENT_MS = 5000;
const WORKER_SILENT_MS = 10000;
const DISK_FULL_SHARE = 0.9;

export function problems(state, link, silentMs) {
  const found = [];
  const bad = (what, why, key = what) => found.push({level: 'bad', what, why, key});
  const warn = (what, why, key = what) => found.push({level: 'warn', what, why, key});
  if (link === 'lost') {
    bad('The gateway does not answer', `The values below are ${duration(silentMs)} old. This page tries again by itself.`, 'link');
  }
  cluster(state.cluster, bad, warn);
  nodes(state.datanodes?.datanodes ?? [], bad, warn);
  jobs(state.jobs?.jobs ?? [], bad, warn);
  return found.sort((a, b) => (a.level === b.level ? 0 : a.level === 'bad' ? -1 : 1));
}

function cluster(cluster, bad, warn) {
  if (!cluster) return;
  if (cluster.age_ms > MASTER_SILENT_MS) {
    bad('The master does not answer', `It was last heard ${duration(cluster.age_ms)} ago. Readers that know their blocks go on; writers wait.`, 'master');
  }
  if (cluster.is_in_safe_mode) {
    warn('The master is in safe mode', `${cluster.safe_mode_reason || 'It waits for block reports'}. Nothing is repaired or deleted until it ends.`, 'safe mode');
  }
  if (cluster.missing_blocks > 0) {
    bad(`${count(cluster.missing_blocks, 'block')} cannot be read`, 'No datanode that is up has a good replica. On a machine with the shell, dfs fsck / names the nodes to wait for.', 'missing');
  }
  if (cluster.corrupt_replicas > 0) {
    warn(`${count(cluster.corrupt_replicas, 'replica')} found damaged`, 'They are replaced from good ones; nobody is given a wrong byte.', 'corrupt');
  }
  if (cluster.under_replicated_blocks > 0) {
    warn(`${count(cluster.under_replicated_blocks, 'block')} with too few replicas`, `${count(cluster.pending_repairs, 'repair')} under way.`, 'replicas');
  }
}

function nodes(nodes, bad, warn) {
  for (const node of nodes) {
    const silent = duration(node.silent_ms);
    if (node.state === 'dead') {
      bad(`Datanode ${node.address} is down`, `No sign of it for ${silent}. What it had is copied anew from other replicas.`, node.address);
    } else if (node.state === 'stale') {
      bad(`Datanode ${node.address} does not answer`, `No sign of it for ${silent}: it gets no new blocks. After 30 s its blocks are copied anew.`, node.address);
    }
    if (node.service !== 'in_service') {
      warn(`Datanode ${node.address}: ${node.service.replace('_', ' ')}`, `${count(node.blocks_to_move, 'block')} still to move.`, `service ${node.address}`);
    }
    for (const disk of node.disks ?? []) {
      if (disk.failure) bad(`A disk of ${node.address} failed`, `${disk.path}: ${disk.failure}`, disk.path);
    }
    const isFull = node.capacity_bytes > 0 && node.free_bytes < (1 - DISK_FULL_SHARE) * node.capacity_bytes;
    if (isFull && node.state !== 'dead') {
      warn(`Datanode ${node.address} is nearly full`, `${bytes(node.free_bytes)} of ${bytes(node.capacity_bytes)} are free.`, `full ${node.address}`);
    }
  }
}

function jobs(jobs, bad, warn) {
  for (const job of jobs) {
    const dead = job.workers.filter((worker) => worker.silent_ms > WORKER_SILENT_MS);
    if (dead.length > 0) {
      const longest = Math.max(...dead.map((worker) => worker.silent_ms));
      const rest = job.workers.length - dead.length;
      bad(`${dead.length === 1 ? 'A worker' : `${dead.length} workers`} of ${job.job} ended without a word`,
          `No sign for ${duration(longest)}. ` + (rest > 0 ? `${count(rest, 'other worker')} took over.` : 'Nobody runs the job: start it again, and it goes on where it was.'),
          `worker ${job.job}`);
    }
    const waiting = job.workers.find((worker) => worker.waiting_for && worker.silent_ms <= WORKER_SILENT_MS);
    if (waiting) {
      warn(`${job.job} waits for ${waiting.waiting_for}`, 'It loses nothing, and goes on by itself.', `waits ${job.job}`);
    }
    if (job.rows_dead > 0) {
      warn(`${count(job.rows_dead, 'record')} could not be read by ${job.job}`, 'They are kept, raw and with the reason, as dead letters: see the job.', `dead ${job.job}`);
    }
    if (job.commits_failed > 0) {
      warn(`${count(job.commits_failed, 'commit')} of ${job.job} came to nothing`, 'What they held was read again; nothing is lost or doubled.', `commits ${job.job}`);
    }
  }
}
