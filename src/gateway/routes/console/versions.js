
// Former versions of a plug-in, and the way back to one.
async function showVersions(name, asked = true) {
  $('versions').hidden = false;
  $('versions-title').textContent = `Versions of ${shown(name)}`;
  $('version-list').replaceChildren();
  if (asked) {
    $('versions').scrollIntoView();
    $('versions-title').focus({preventScroll: true});
  }
  try {
    const answer = await ask(at(name, '/versions'), {headers: BEARER(), cache: 'no-store'});
    if (!answer.ok) {
      const problem = await problemOf(answer);
      $('versions-hint').textContent = problem?.slug === 'no-such-plugin' ? 'None is kept.' : `${answer.status} ${shown(problem?.detail ?? '')}`;
      return;
    }
    const {versions, keep} = await answer.json();
    const current = versions.find((version) => version.current);
    $('versions-hint').textContent = versions.length > 1 || !current
      ? 'A version is the module with its policy and signature. What is replaced is kept, so that you can return.'
      : keep ? 'Only this one so far. The next upload keeps it.' : 'The gateway keeps none (--keep-versions).';
    $('version-list').replaceChildren(...versions.map((version) => versionRow(name, version, current)));
  } catch (error) {
    $('versions-hint').textContent = `No response: ${error.message}`;
  }
}

function versionRow(name, version, current) {
  const facts = [bytes(version.size), version.deployed?.slice(0, 16).replace('T', ' ').concat(' UTC') ?? 'at an unknown time'];
  if (version.policy) facts.push('with a policy');
  if (version.signature) facts.push('signed');
  const label = version.current ? 'in place' : `number ${version.number}`;
  const row = el('li', {}, el('span', {}, el('b', {}, label), ' ', el('span', {class: 'fn'}, version.sha256.slice(0, 12)),
    el('small', {}, facts.join(' · '))));
  if (!version.current) {
    const button = el('button', {type: 'button', 'aria-label': `Roll back ${shown(name)} to number ${version.number}`}, 'Roll back');
    button.addEventListener('click', () => rollBack(name, version, current));
    row.append(button);
  }
  return row;
}

async function rollBack(name, version, current) {
  const which = `version ${version.number} (sha256 ${version.sha256.slice(0, 12)})`;
  if (!await confirmed(`Put ${which} of ${shown(name)} back, with its policy and signature?`, 'Roll back')) return;
  const condition = current ? {'If-Match': `"${current.sha256}"`} : {'If-None-Match': '*'};
  const done = await change('POST', at(name, `/rollback?version=${version.number}`), condition, null, `${shown(name)} is rolled back to ${which}.`);
  if (done) forgetPolicy();
  await showVersions(name);
}
