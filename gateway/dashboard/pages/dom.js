// A page is a function from what is known to a tree of elements; morph() makes the document like
// the tree and touches only what differs, so that focus, selection and scrolling stay.

const SVG = 'http://www.w3.org/2000/svg';
const SVG_TAGS = new Set(['svg', 'path', 'circle', 'rect', 'g', 'line', 'polyline', 'polygon', 'text']);

// h('button', {class: 'x', onclick: f, style: {width: '3%'}}, 'text', h('b', {}, …)). Properties of
// null or false are left out; children may be nested lists, null or false.
export function h(tag, props = {}, ...children) {
  const node = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  node.handlers = {};
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) {
      node.handlers[name.slice(2)] = value;
      node.addEventListener(name.slice(2), dispatch);
    } else if (name === 'style') {
      node.wantedStyle = value;
      applyStyle(node, value);
    } else {
      node.setAttribute(name, value === true ? '' : value);
    }
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(node, child);
    else if (child !== null && child !== undefined && child !== false) {
      node.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
  }
}

// By the object model: the content policy forbids style attributes.
function applyStyle(node, style) {
  for (const [name, value] of Object.entries(style)) node.style.setProperty(name, value);
}

// The handler of the last tree, whichever element of the document it has become.
function dispatch(event) {
  const handler = event.currentTarget.handlers?.[event.type];
  if (handler) handler(event);
}

// Makes the children of `parent` like `children`. An element marked data-own keeps its inside: it
// belongs to somebody else (a canvas, an input being typed into).
export function morph(parent, ...children) {
  const wanted = document.createDocumentFragment();
  append(wanted, children);
  morphChildren(parent, wanted);
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute('data-key') : null;
}

function isLike(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
}

function morphChildren(parent, wanted) {
  let at = parent.firstChild;
  for (const want of [...wanted.childNodes]) {
    let found = at;
    const key = keyOf(want);
    if (key !== null) {
      while (found && !isLike(found, want)) found = found.nextSibling;
    } else if (found && !isLike(found, want)) {
      found = null;
    }
    if (!found) {
      parent.insertBefore(want, at);
      continue;
    }
    if (found !== at) parent.insertBefore(found, at);
    else at = at.nextSibling;
    morphNode(found, want);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function morphNode(node, want) {
  if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.nodeValue !== want.nodeValue) node.nodeValue = want.nodeValue;
    return;
  }
  for (const type of Object.keys(want.handlers ?? {})) {
    if (!node.handlers?.[type]) node.addEventListener(type, dispatch);
  }
  node.handlers = want.handlers;
  if (node.hasAttribute('data-own')) return;
  for (const {name} of [...node.attributes]) {
    if (name !== 'style' && !want.hasAttribute(name)) node.removeAttribute(name);
  }
  for (const {name, value} of want.attributes) {
    if (name !== 'style' && node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  if (want.wantedStyle) applyStyle(node, want.wantedStyle);
  morphChildren(node, want);
}
