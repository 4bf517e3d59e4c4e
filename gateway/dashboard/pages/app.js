// The dashboard: which page is shown, and when it is drawn again.

import {h, morph} from './dom.js';
import {duration} from './format.js';
import {live} from './live.js';
import {pages} from './pages.js';

const content = document.getElementById('content');
let page = null;
let path = null;

// "#/files/data/x" → page "files", rest "data/x".
function route() {
  const [, name = 'now', rest = ''] = location.hash.match(/^#\/([^/?]*)\/?(.*)$/) ?? [];
  return {name: pages.some((each) => each.name === name) ? name : 'now', rest: decodeURIComponent(rest)};
}

function showNav(current) {
  morph(document.getElementById('nav'), pages.map(({name, title}) => h('a', {
    href: `#/${name}`, 'data-key': name, 'aria-current': name === current ? 'page' : null,
  }, title)));
}

function showLink() {
  const words = {
    waiting: 'connecting …', silent: 'connected: nothing is known yet', live: 'live',
    lost: `no answer for ${duration(Math.floor((live.silentMs ?? 0) / 1000) * 1000)}`,
  };
  const state = document.getElementById('link-state');
  state.dataset.state = live.link;
  // A status is read out when it changes: the seconds are not.
  if (state.textContent !== words[live.link]) state.textContent = words[live.link];
}

function open() {
  const {name, rest} = route();
  const isNew = page?.name !== name;
  if (isNew) {
    page?.close?.();
    page = pages.find((each) => each.name === name);
    content.replaceChildren();
    document.title = `${page.title} · Slipstream`;
    showNav(name);
    page.open?.(draw);
  }
  if (isNew || path !== rest) page.go?.(rest, draw);
  const isFirst = path === null;
  path = rest;
  draw();
  if (isNew) {
    window.scrollTo(0, 0);
    if (!isFirst) content.focus({preventScroll: true});
  }
}

function draw() {
  showLink();
  if (!page) return;
  morph(content, page.draw());
  page.drawn?.(content);
}

window.addEventListener('hashchange', open);
live.listeners.add(draw);
live.start();
open();
