
// What guests, folders and clients said is hostile. It goes into the page as text: `el` and `text` make text nodes,
// and nothing here parses markup. `shown` makes visible what could reorder or hide a name.
const $ = (id) => document.getElementById(id);

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function text(id, content, kind = '') {
  $(id).textContent = content;
  $(id).className = kind;
}

const shown = (name) => String(name).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
  (c) => '\\u{' + c.codePointAt(0).toString(16) + '}');

// WIT puts a colon between a name and a type.
const shownTyped = (f) => shown(f.name) + (/^[a-z]/.test(f.signature) ? ': ' : '') + shown(f.signature);

const counted = (n, one, many = one + 's') => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

function bytes(n) {
  if (n < 1024) return counted(n, 'byte');
  return n < 1048576 ? `${+(n / 1024).toFixed(1)} KiB` : `${+(n / 1048576).toFixed(1)} MiB`;
}

function short(n) {
  for (const [unit, size] of [['T', 1e12], ['G', 1e9], ['M', 1e6], ['k', 1e3]]) {
    if (n >= size) return +(n / size).toPrecision(3) + unit;
  }
  return String(+n.toPrecision(3));
}

function seconds(s) {
  if (s < 1e-3) return `${+(s * 1e6).toPrecision(2)} µs`;
  return s < 1 ? `${+(s * 1e3).toPrecision(2)} ms` : `${+s.toPrecision(2)} s`;
}

// Cookies belong to guests, and a redirect is a guest's word: following one would take the method, the body and the
// token to wherever it says, such as the routes that delete plug-ins.
const ask = (url, options = {}) =>
  fetch(url, {credentials: 'omit', redirect: 'manual', referrerPolicy: 'no-referrer', ...options});

// For what is asked in rounds: one answer that never comes must not be the last round.
const look = (url) => ask(url, {signal: AbortSignal.timeout(10000)});

async function problemOf(answer) {
  const type = answer.headers.get('content-type') || '';
  if (!type.startsWith('application/problem+json')) return null;
  try {
    const problem = JSON.parse(await answer.clone().text());
    return {
      slug: String(problem.type).replace('urn:fuelbox:problem:', ''),
      title: String(problem.title), detail: String(problem.detail),
    };
  } catch {
    return null;
  }
}

// A question that takes the focus, and gives it back. The dialog's `close` is not listened to: it comes late, and may
// be that of the question before.
function confirmed(question, yes) {
  const dialog = $('ask');
  $('ask-text').textContent = question;
  $('ask-yes').textContent = yes;
  dialog.showModal();
  return new Promise((resolve) => {
    const end = (answer) => {
      dialog.close();
      resolve(answer);
    };
    $('ask-yes').onclick = () => end(true);
    $('ask-no').onclick = () => end(false);
    dialog.oncancel = () => resolve(false);
  });
}
