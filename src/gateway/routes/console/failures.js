
// The last failures. What a guest said is only there for a token that may deploy.
let failed = null;

async function pollFailures() {
  const options = {signal: AbortSignal.timeout(10000), cache: 'no-store'};
  if (token) options.headers = BEARER();
  const answer = await ask('/failures', options);
  if (!answer.ok) throw new Error(`/failures: ${answer.status}`);
  const page = await answer.text();
  if (page === failed) return;
  failed = page;
  const {failures, complete} = JSON.parse(page);
  $('failure-rows').replaceChildren(...failures.map(failureRow));
  $('failures-caption').textContent = failures.length ? counted(failures.length, 'failure') : 'None so far';
  $('failures-hint').textContent = failures.length && !complete
    ? 'Details and output are shown with a token that can deploy. The log has them too.' : '';
}

function failureRow(failure) {
  const problem = [failure.title];
  if (failure.detail !== null) problem.push(el('small', {}, shown(failure.detail)));
  if (failure.output?.length) problem.push(el('pre', {tabindex: '0'}, failure.output.map(shown).join('\n')));
  return el('tr', {role: 'row'},
    cell('Time', failure.time.slice(0, 19).replace('T', ' ') + ' UTC'),
    cell('Plug-in', el('span', {class: 'name'}, shown(failure.plugin)),
      el('small', {}, failure.function === null ? '' : shown(failure.function))),
    cell('Problem', ...problem),
    cell('Request', el('small', {}, shown(failure.request_id))));
}
