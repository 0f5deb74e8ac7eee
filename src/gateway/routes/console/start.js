
// Everything is asked for every 2 seconds, one round after the other, and not while nobody looks.
const ROUND_MS = 2000;
let next = null;
let isAsking = false;

async function pollReady() {
  const answer = await look('/readyz');
  const problem = await problemOf(answer);
  if (answer.ok) text('state', 'Ready', 'good');
  else text('state', `Not ready: ${shown(problem?.detail ?? answer.status)}`, 'bad');
}

async function poll() {
  if (isAsking) return;
  isAsking = true;
  clearTimeout(next);
  try {
    await Promise.all([pollPlugins(), pollMetrics(), pollReady(), pollFailures()]);
  } catch (error) {
    before = null;
    text('state', `The gateway does not answer: ${error.message}`, 'bad');
  }
  isAsking = false;
  if (!document.hidden) next = setTimeout(poll, ROUND_MS);
}

document.addEventListener('visibilitychange', () => {
  clearTimeout(next);
  // What happened meanwhile is no rate.
  before = null;
  if (!document.hidden) poll();
});
// A page that is kept for going back to must not keep the token.
addEventListener('pagehide', forget);

$('search').addEventListener('input', showPlugins);
$('sort').addEventListener('change', showPlugins);
$('plugin').addEventListener('change', showFunctions);
for (const id of ['func', 'method']) $(id).addEventListener('change', showHint);
$('run-form').addEventListener('input', showHint);
$('run-form').addEventListener('submit', run);
$('stop').addEventListener('click', () => waiting?.abort());
$('no-file').addEventListener('click', () => {
  $('file').value = '';
  showHint();
  $('file').focus();
});
$('copy').addEventListener('click', copy);
$('token-form').addEventListener('submit', useToken);
$('forget').addEventListener('click', () => {
  forget();
  text('token-said', 'Forgotten');
  $('token').focus();
});
$('upload-form').addEventListener('submit', upload);
$('module').addEventListener('change', () => {
  if (!$('name').value) $('name').value = $('module').files[0]?.name.replace(/\.(wasm|wat)$/, '') ?? '';
});
$('policy-form').addEventListener('submit', savePolicy);
$('policy-load').addEventListener('click', loadPolicy);
$('policy-of').addEventListener('change', forgetPolicy);
$('policy').addEventListener('input', () => text('deploy-said', ''));

$('policy-remove').addEventListener('click', removePolicy);

makeCharts();
poll();
